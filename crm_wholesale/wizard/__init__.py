from . import crm_lead_lost
from . import crm_visit_booking
from . import crm_visit_booking_slots
from . import crm_visit_cancel
from . import crm_visit_repeat
from . import crm_visit_reassign
from . import mail_activity_schedule
