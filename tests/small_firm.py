"""A firm with two managers and one measurer, for tests that need a few visits."""

from datetime import timedelta

import live

#: phonenumbers' example of a Ukrainian mobile number.
MOBILE = "+380501234567"


class SmallFirm:
    """The firm's people, who act over HTTP."""

    def __init__(self, server):
        self.server = server
        self.manager = server.new_user("manager", "sales_team.group_sale_salesman")
        self.other_manager = server.new_user("other_manager", "sales_team.group_sale_salesman")
        self.head = server.new_user("head", "sales_team.group_sale_manager")
        group = "crm_wholesale.crm_wholesale_group_measurer"
        self.measurer = server.new_user("measurer", group)
        (team,) = self.head.search("crm.team", [("name", "=", "Wholesale")])
        self.team_id = team["id"]
        members = [(6, 0, [self.manager.id, self.other_manager.id])]
        self.head.write("crm.team", [self.team_id], member_ids=members)
        self.measurer_id = self.head.create(
            "crm.measurer",
            name="Mykola Measurer",
            user_id=self.measurer.id,
            tz="Europe/Kyiv",
            visits_per_day=48,
        )

    def new_lead(self, user):
        """Return the id of a new deal of a manager."""
        return user.create(
            "crm.lead",
            name="Windows for the office",
            type="opportunity",
            contact_name="Olena Petrenko",
            phone=MOBILE,
            street="Made-up Street, 1",
            city="Kyiv",
            user_id=user.id,
            team_id=self.team_id,
        )

    def open_booking(self, user, lead_id, start, duration=0.5):
        """Return the id of a filled in booking screen.

        :param datetime start: in UTC
        :param float duration: in hours
        """
        return user.create(
            "crm.visit.booking",
            {"default_lead_id": lead_id},
            measurer_id=self.measurer_id,
            start=f"{start}",
            duration=duration,
        )

    def book(self, user, lead_id, start):
        """Book a visit of half an hour and return its id."""
        booking_id = self.open_booking(user, lead_id, start)
        user.call("crm.visit.booking", "action_book", [booking_id])
        domain = [("lead_id", "=", lead_id), ("start", "=", f"{start}")]
        (visit,) = user.search("crm.visit", domain)
        return visit["id"]

    def book_due(self, count):
        """Book visits that are so near that their customers are to be told at once."""
        start = live.utc_now().replace(second=0) + timedelta(hours=1)
        return [
            self.book(
                self.manager, self.new_lead(self.manager), start + timedelta(minutes=30 * number)
            )
            for number in range(count)
        ]
