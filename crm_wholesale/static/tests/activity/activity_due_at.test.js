import { mailModels, openFormView, start, startServer } from "@mail/../tests/mail_test_helpers";
import { click, contains } from "@mail/../tests/mail_test_helpers_contains";

import { describe, test } from "@odoo/hoot";
import { mockDate } from "@odoo/hoot-mock";
import { defineModels, mountView } from "@web/../tests/web_test_helpers";

describe.current.tags("desktop");

class MailActivity extends mailModels.MailActivity {
    get _to_store_defaults() {
        return [...super._to_store_defaults, "due_at"];
    }
}
defineModels({ ...mailModels, MailActivity });

/** Opens a contact with an activity, as read at 12:00 UTC of a Wednesday, in the zone given. */
async function openContact(values, offset) {
    mockDate("2026-11-25 12:00:00", offset);
    const pyEnv = await startServer();
    const partnerId = pyEnv["res.partner"].create({});
    pyEnv["mail.activity"].create({ res_id: partnerId, res_model: "res.partner", ...values });
    await start();
    await openFormView("res.partner", partnerId);
}

test("the minute stands in the chatter, in the reader's zone", async () => {
    await openContact(
        { date_deadline: "2026-11-25", due_at: "2026-11-25 12:39:00", state: "today" },
        2,
    );
    await contains(".o-mail-Activity span.text-warning", { text: "Today:" });
    await contains(".o-mail-Activity-dueTime", { text: "2:39 PM" });
    await click(".o-mail-Activity i[aria-label='Info']");
    await contains(".o-mail-Activity-details", { text: "Nov 25, 2:39 PM" });
});

test("the day is the reader's too", async () => {
    await openContact(
        { date_deadline: "2026-11-26", due_at: "2026-11-25 22:30:00", state: "planned" },
        -5,
    );
    await contains(".o-mail-Activity span", { text: "Today:" });
    await contains(".o-mail-Activity-dueTime", { text: "5:30 PM" });
});

test("an activity whose minute has passed is red today", async () => {
    await openContact(
        { date_deadline: "2026-11-25", due_at: "2026-11-25 11:59:00", state: "overdue" },
        0,
    );
    await contains(".o-mail-Activity span.text-danger", { text: "Today:" });
    await contains(".o-mail-Activity-dueTime", { text: "11:59 AM" });
});

test("an activity for a day shows no minute", async () => {
    await openContact({ date_deadline: "2026-11-26", state: "planned" }, 0);
    await contains(".o-mail-Activity span.text-success", { text: "Tomorrow:" });
    await contains(".o-mail-Activity-dueTime", { count: 0 });
});

test("the minute stands in the popover of lists and kanbans", async () => {
    mockDate("2026-11-25 12:00:00", 2);
    const pyEnv = await startServer();
    const partnerId = pyEnv["res.partner"].create({});
    const values = {
        date_deadline: "2026-11-25",
        res_id: partnerId,
        res_model: "res.partner",
        state: "today",
    };
    const activityIds = pyEnv["mail.activity"].create([
        { ...values, due_at: "2026-11-25 12:39:00" },
        values,
    ]);
    pyEnv["res.partner"].write([partnerId], { activity_ids: activityIds, activity_state: "today" });
    await start();
    await mountView({
        arch: `<list><field name="activity_ids" widget="list_activity"/></list>`,
        resModel: "res.partner",
        type: "list",
        domain: [["id", "=", partnerId]],
    });
    await click(".o-mail-ActivityButton");
    await contains(".o-mail-ActivityListPopoverItem", { count: 2 });
    await contains(".o-mail-ActivityListPopoverItem-dueAt", { count: 1, text: "Nov 25, 2:39 PM" });
});
