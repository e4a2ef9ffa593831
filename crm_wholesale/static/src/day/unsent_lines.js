const TABLE = "lines";

/**
 * @typedef {Object} UnsentLine a measurement that the server has not confirmed yet
 * @property {string} uuid its name, by which the server knows it when it is sent again
 * @property {number} visitId
 * @property {string} visitName
 * @property {number|null} lineId the measurement on the server that it changes
 * @property {Object} values what was typed, ready for the server
 * @property {Object} fields what stands in the form, as typed
 * @property {{name: string, data: string}[]} photos shrunk, in base64
 * @property {boolean} isReady whether it is to be sent; else somebody is still typing
 * @property {string} refusal why the server does not take it
 * @property {number} begunAt
 * @property {number} changedAt
 */

/** Gives the promise of what an IndexedDB request brings. */
function resultOf(request) {
    return new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
    });
}

/**
 * The unsent measurements of one user in this browser. They survive a reload and the end of the
 * browser; each user has a database of their own, so that nobody sees another's.
 */
export class UnsentLines {
    /**
     * @param {string} database name of Odoo's database
     * @param {number} userId
     */
    constructor(database, userId) {
        this.name = `crm_wholesale.unsent_lines.${database}.${userId}`;
    }

    /** @returns {Promise<UnsentLine[]>} in the order in which they were begun */
    async getAll() {
        const lines = await this._withTable("readonly", (table) => resultOf(table.getAll()));
        return lines.sort((one, other) => one.begunAt - other.begunAt);
    }

    /** @param {UnsentLine} line */
    async put(line) {
        const plain = JSON.parse(JSON.stringify(line)); // a database takes no reactive objects
        await this._withTable("readwrite", (table) => resultOf(table.put(plain)));
    }

    /** @param {string} uuid */
    async remove(uuid) {
        await this._withTable("readwrite", (table) => resultOf(table.delete(uuid)));
    }

    /**
     * Forgets a line that the server has confirmed, unless it was changed while it was sent.
     *
     * @param {UnsentLine} sent as it was sent
     */
    async confirm(sent) {
        await this._withTable("readwrite", async (table) => {
            const line = await resultOf(table.get(sent.uuid));
            if (line?.changedAt === sent.changedAt) {
                await resultOf(table.delete(sent.uuid));
            }
        });
    }

    async _withTable(mode, callback) {
        const request = indexedDB.open(this.name, 1);
        request.onupgradeneeded = () =>
            request.result.createObjectStore(TABLE, { keyPath: "uuid" });
        const database = await resultOf(request);
        try {
            // Strict: on the disk, not in some buffer, before it counts as kept.
            const transaction = database.transaction(TABLE, mode, { durability: "strict" });
            const done = new Promise((resolve, reject) => {
                transaction.oncomplete = resolve;
                transaction.onabort = () => reject(transaction.error);
            });
            const result = await callback(transaction.objectStore(TABLE));
            await done;
            return result;
        } finally {
            database.close();
        }
    }
}
