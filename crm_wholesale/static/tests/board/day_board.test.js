import { mailModels, start } from "@mail/../tests/mail_test_helpers";

import { describe, expect, test } from "@odoo/hoot";
import { queryRect } from "@odoo/hoot-dom";
import { contains, defineModels, getService, onRpc } from "@web/../tests/web_test_helpers";

describe.current.tags("desktop");
defineModels(mailModels);

const WAITING = { id: 7, key: 7, label: "Olena", place: "Kyiv", state: "draft", movable: true };
const BOARD = {
    day: "2026-11-24",
    title: "Tuesday 24 November 2026",
    city: "",
    may_plan: true,
    hours: [8, 9, 10, 11, 12].map((hour) => ({ minute: hour * 60, label: `${hour}:00` })),
    rows: [{ id: 3, name: "Measurer", visits: [], work: [[480, 720]] }],
    unassigned: [WAITING],
};

/** Opens the board and drops the waiting visit in the middle of the row. */
async function dropInTheMiddle() {
    onRpc("crm.visit", "get_board", () => BOARD);
    await start();
    await getService("action").doAction({
        type: "ir.actions.client",
        tag: "crm_wholesale.day_board",
    });
    const track = ".o_crm_board_row[aria-label=Measurer] .o_crm_board_track";
    const { width, height } = queryRect(track);
    const waiting = contains(".o_crm_board_waiting");
    const { drop } = await waiting.drag({ items: [[WAITING.label, "text/plain"]] });
    await drop(track, { position: { x: width / 2, y: height / 2 }, relative: true });
}

test("a visit is dropped at a quarter of an hour", async () => {
    onRpc("crm.visit", "place_on_board", ({ args, kwargs }) => {
        expect.step([args[0], kwargs.day, kwargs.minute, kwargs.measurer_id, kwargs.despite]);
        return false;
    });
    await dropInTheMiddle();
    expect.verifySteps([[7, "2026-11-24", 600, 3, false]]);
    expect(".modal").toHaveCount(0);
});

test("what speaks against it is said, and done only when confirmed", async () => {
    onRpc("crm.visit", "place_on_board", ({ kwargs }) => {
        expect.step(kwargs.despite);
        return kwargs.despite ? false : "Measurer is away at that time.";
    });
    await dropInTheMiddle();
    expect(".modal").toHaveText(/Measurer is away at that time/);
    expect.verifySteps([false]);
    await contains(".modal .btn-primary").click();
    expect.verifySteps([true]);
});
