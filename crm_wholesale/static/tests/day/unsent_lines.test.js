import { UnsentLines } from "@crm_wholesale/day/unsent_lines";

import { afterEach, describe, expect, test } from "@odoo/hoot";

describe.current.tags("headless");

const DATABASE = "hoot_unsent_lines";

afterEach(async () => {
    for (const userId of [7, 8]) {
        for (const { uuid } of await new UnsentLines(DATABASE, userId).getAll()) {
            await new UnsentLines(DATABASE, userId).remove(uuid);
        }
    }
});

function makeLine(uuid, values = {}) {
    return {
        uuid,
        visitId: 1,
        fields: { place: uuid },
        photos: [],
        begunAt: 1,
        changedAt: 1,
        ...values,
    };
}

async function getUuids(store) {
    return (await store.getAll()).map(({ uuid }) => uuid);
}

test("lines are kept beyond the page, in the order in which they were begun", async () => {
    await new UnsentLines(DATABASE, 7).put(makeLine("a", { begunAt: 2 }));
    await new UnsentLines(DATABASE, 7).put(makeLine("b", { begunAt: 1 }));
    await new UnsentLines(DATABASE, 7).put(makeLine("a", { begunAt: 2, visitId: 5 }));
    const lines = await new UnsentLines(DATABASE, 7).getAll();
    expect(lines.map(({ uuid, visitId }) => [uuid, visitId])).toEqual([
        ["b", 1],
        ["a", 5],
    ]);
});

test("another user of the same browser, and another database, see none of them", async () => {
    await new UnsentLines(DATABASE, 7).put(makeLine("a"));
    expect(await getUuids(new UnsentLines(DATABASE, 8))).toEqual([]);
    expect(await getUuids(new UnsentLines(`${DATABASE}_other`, 7))).toEqual([]);
    expect(await getUuids(new UnsentLines(DATABASE, 7))).toEqual(["a"]);
});

test("what the server has confirmed is forgotten", async () => {
    const store = new UnsentLines(DATABASE, 7);
    await store.put(makeLine("a"));
    await store.confirm(makeLine("a"));
    await store.confirm(makeLine("never kept"));
    expect(await getUuids(store)).toEqual([]);
});

test("what was changed while it was sent is kept", async () => {
    const store = new UnsentLines(DATABASE, 7);
    await store.put(makeLine("a", { changedAt: 2 }));
    await store.confirm(makeLine("a", { changedAt: 1 }));
    expect(await getUuids(store)).toEqual(["a"]);
});
