import pytz

from odoo import fields, models
from odoo.tools import SQL

#: What the filters that Odoo's systray opens stand for, in terms of one activity.
SYSTRAY_FILTERS = {
    "activities_overdue": "'|', ('date_deadline', '<', 'today'), ('due_at', '<=', 'now')",
    "activities_today": (
        "('date_deadline', '=', 'today'), '|', ('due_at', '=', False), ('due_at', '>', 'now')"
    ),
}


class MailActivityMixin(models.AbstractModel):
    _inherit = "mail.activity.mixin"

    # An activity that only shows a notice is nobody's next step.
    activity_ids = fields.One2many(domain=[("notice_id", "=", False)])

    def _get_view(self, view_id=None, view_type="form", **options):
        """Let the systray's links open the records that its counters counted."""
        arch, view = super()._get_view(view_id, view_type, **options)
        if view_type == "search":
            for name, terms in SYSTRAY_FILTERS.items():
                for node in arch.xpath(
                    f"//filter[@name='{name}'][contains(@domain, 'my_activity_date_deadline')]"
                ):
                    node.set(
                        "domain",
                        "[('activity_ids', 'any', "
                        f"[('active', '=', True), ('user_id', '=', uid), {terms}])]",
                    )
        return arch, view

    def _search_activity_state(self, operator, value):
        """Search by the state of the next step, to the minute.

        Replaces Odoo's search, of which it keeps the outcome for activities without a minute.
        """
        all_states = {"overdue", "today", "planned", False}
        if operator == "in":
            states = set(value)
        elif operator == "not in":
            states = all_states - set(value)
        else:
            return NotImplemented
        without = False in states
        if without:
            states = all_states - states
        query = SQL(
            "(SELECT res_id FROM %s AS state WHERE activity_state = ANY(%s))",
            self._get_activity_state_query(),
            list(states),
        )
        return [("id", "not in" if without else "in", query)]

    def _read_group_groupby(self, alias, groupby_spec, query):
        """Group by the state of the next step, to the minute.

        Replaces Odoo's grouping, of which it keeps the outcome for activities without a minute.
        """
        if groupby_spec != "activity_state":
            return super()._read_group_groupby(alias, groupby_spec, query)
        self._check_field_access(self._fields["activity_state"], "read")
        alias = query.make_alias(self._table, "last_activity_state")
        if alias not in query._joins:
            zone = self.env.context.get("tz")
            table = self._get_activity_state_query(
                zone if zone in pytz.all_timezones_set else "UTC"
            )
            alias = query.left_join(self._table, "id", table, "res_id", "last_activity_state")
        return SQL.identifier(alias, "activity_state")

    def _get_activity_state_query(self, zone="UTC"):
        """Return the SQL of a table ``(res_id, activity_state)`` of the records of this model.

        :param zone: where day-only activities without an assignee's zone have their midnight.
        """
        self.env["mail.activity"].flush_model(
            ["active", "date_deadline", "due_at", "notice_id", "res_id", "res_model", "user_tz"]
        )
        # The order is for speed: PostgreSQL then reads the records as they lie.
        return SQL(
            """(
            SELECT res_id,
                   CASE SIGN(MIN(
                       CASE WHEN due_at <= %(now)s THEN -1
                       ELSE date_deadline - (
                           %(now)s AT TIME ZONE 'UTC' AT TIME ZONE COALESCE(
                               user_tz, CASE WHEN due_at IS NULL THEN %(zone)s ELSE 'UTC' END
                           )
                       )::date END
                   )) WHEN -1 THEN 'overdue' WHEN 0 THEN 'today' WHEN 1 THEN 'planned'
                   END AS activity_state
              FROM mail_activity
             WHERE res_model = %(model)s AND active AND notice_id IS NULL
             GROUP BY res_id
             ORDER BY res_id
            )""",
            now=fields.Datetime.now(),
            zone=zone,
            model=self._name,
        )

    def _activity_schedule_quietly(self, act_type_xmlid="", **values):
        """Schedule an automated activity that mails nobody and makes nobody a follower.

        The assignee's systray counter is still told at once.

        :param values: as in ``activity_schedule``, which see.
        :return: the new activities, one per record, in the caller's context.
        """
        quiet = self.with_context(mail_activity_quick_update=True, crm_wholesale_quiet=True)
        activities = quiet.activity_schedule(act_type_xmlid, **values)
        return self.env["mail.activity"].browse(activities.ids if activities else ())
