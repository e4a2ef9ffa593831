import {
    Component,
    onMounted,
    onWillStart,
    onWillUnmount,
    useExternalListener,
    useState,
} from "@odoo/owl";
import { ConfirmationDialog } from "@web/core/confirmation_dialog/confirmation_dialog";
import { _t } from "@web/core/l10n/translation";
import { ConnectionLostError, RPCError } from "@web/core/network/rpc";
import { registry } from "@web/core/registry";
import { SignatureDialog } from "@web/core/signature/signature_dialog";
import { user } from "@web/core/user";
import { Mutex } from "@web/core/utils/concurrency";
import { useService } from "@web/core/utils/hooks";
import { uuid } from "@web/core/utils/strings";
import { session } from "@web/session";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";
import { FinishDialog } from "./finish_dialog";
import { describeSizes, SIZES } from "./measurement";
import { MeasurementForm } from "./measurement_form";
import { NotMetDialog } from "./not_met_dialog";
import { UnsentLines } from "./unsent_lines";

const FINISHED_STATES = ["done", "no_show"];
/** How long the phone may look for its place before the measurer has arrived without one. */
const POSITION_PATIENCE = 8000;
/** How often unsent measurements are tried again, in milliseconds. */
const RETRY_INTERVAL = 30000;

/** The measurer's day on a phone: the next stop, the route, and what is measured there. */
export class MyDay extends Component {
    static template = "crm_wholesale.MyDay";
    static components = { MeasurementForm };
    static props = { ...standardActionServiceProps };

    setup() {
        this.action = useService("action");
        this.dialog = useService("dialog");
        this.notification = useService("notification");
        this.orm = useService("orm");
        this.store = new UnsentLines(session.db, user.userId);
        this.sending = new Mutex();
        this.describeSizes = describeSizes;
        this.state = useState({
            day: null,
            isOffline: false,
            isBusy: false,
            currentId: null,
            editing: null,
            unsent: [],
        });
        onWillStart(async () => {
            await this.readUnsent();
            await this.loadDay();
        });
        onMounted(() => this.send());
        useExternalListener(window, "online", () => this.send());
        const timer = setInterval(() => this.send(), RETRY_INTERVAL);
        onWillUnmount(() => clearInterval(timer));
    }

    // ---------------------------------------------------------------- What is shown

    get visits() {
        return this.state.day?.visits || [];
    }

    /** The stop that stands large: the one chosen, else the first that is not finished. */
    get current() {
        const { visits } = this;
        return (
            visits.find((visit) => visit.id === this.state.currentId) ||
            this.nextStop ||
            visits.at(-1)
        );
    }

    get nextStop() {
        return this.visits.find((visit) => !this.isFinished(visit));
    }

    get finishedCount() {
        return this.visits.filter((visit) => this.isFinished(visit)).length;
    }

    isFinished(visit) {
        return FINISHED_STATES.includes(visit.state);
    }

    canMeasure(visit) {
        return ["in_progress", "done"].includes(visit.state);
    }

    /** The measurements of a visit: the server's, with what is not sent yet in their place. */
    getLines(visit) {
        const unsent = this.state.unsent.filter((line) => line.visitId === visit.id);
        const lines = visit.lines.map((line) => {
            const change = unsent.find(
                ({ lineId, uuid }) => lineId === line.id || uuid === line.uuid,
            );
            return change ? this.getShownLine(change) : { ...line, key: line.id, status: "" };
        });
        const known = new Set(lines.map((line) => line.uuid));
        const added = unsent.filter((line) => !known.has(line.uuid));
        return [...lines, ...added.map((line) => this.getShownLine(line))];
    }

    getShownLine(unsent) {
        const status = unsent.isReady ? _t("Not sent yet") : _t("Not finished");
        return {
            ...unsent.fields,
            uuid: unsent.uuid,
            key: unsent.uuid,
            unsent,
            photos: unsent.photos.length,
            status: unsent.refusal ? _t("Not accepted") : status,
        };
    }

    /** Places of the former visit that nobody has measured again yet. */
    getFormerLines(visit) {
        const places = this.getLines(visit).map((line) => line.place.trim().toLowerCase());
        return visit.former.filter((line) => !places.includes(line.place.trim().toLowerCase()));
    }

    getStateClass(visit) {
        if (visit.state === "done") {
            return "text-bg-success";
        }
        if (visit.state === "no_show") {
            return "text-bg-danger";
        }
        return ["en_route", "in_progress"].includes(visit.state)
            ? "text-bg-warning"
            : "text-bg-info";
    }

    /** Unsent measurements of visits that are not on today's route. */
    get strayLines() {
        const ids = this.visits.map((visit) => visit.id);
        return this.state.unsent.filter((line) => !ids.includes(line.visitId));
    }

    // ---------------------------------------------------------------- The day

    async loadDay() {
        try {
            this.state.day = await this.orm.silent.call("crm.visit", "get_my_day", []);
            this.state.isOffline = false;
        } catch (error) {
            this.onRequestFailed(error);
        }
    }

    /** Without a connection everything typed stays here; other errors are Odoo's to show. */
    onRequestFailed(error) {
        if (!(error instanceof ConnectionLostError)) {
            throw error;
        }
        this.state.isOffline = true;
    }

    async onRetry() {
        await this.loadDay();
        await this.send();
    }

    onVisitChosen(visit) {
        this.state.currentId = visit.id;
        document.querySelector(".o_crm_day_body")?.scrollTo({ top: 0 });
    }

    onNextStop() {
        this.state.currentId = null;
    }

    openVisit(visit) {
        this.action.doAction({
            type: "ir.actions.act_window",
            res_model: "crm.visit",
            res_id: visit.id,
            views: [[false, "form"]],
        });
    }

    // ---------------------------------------------------------------- Steps

    /** Takes a step of a visit on the server, one at a time, and shows the day as it is then. */
    async takeStep(step) {
        if (this.state.isBusy) {
            return;
        }
        this.state.isBusy = true;
        try {
            await step();
            await this.loadDay();
        } catch (error) {
            this.onRequestFailed(error);
            this.notification.add(_t("There is no connection. Please try again."), {
                type: "warning",
            });
        } finally {
            this.state.isBusy = false;
        }
    }

    callVisit(visit, method, args = []) {
        return this.orm.call("crm.visit", method, [[visit.id], ...args]);
    }

    async onSetOut(visit) {
        await this.takeStep(() => this.callVisit(visit, "action_on_my_way"));
    }

    async onArrive(visit) {
        await this.takeStep(async () => {
            const position = this.state.day.geolocation ? await this.getPosition() : null;
            await this.callVisit(visit, "arrive", [position]);
        });
    }

    /** Gives latitude and longitude, or null where browser or measurer keep them. */
    getPosition() {
        return new Promise((resolve) => {
            if (!navigator.geolocation) {
                return resolve(null);
            }
            navigator.geolocation.getCurrentPosition(
                ({ coords }) => resolve([coords.latitude, coords.longitude]),
                () => resolve(null),
                { enableHighAccuracy: true, timeout: POSITION_PATIENCE },
            );
        });
    }

    onNotMet(visit) {
        this.dialog.add(NotMetDialog, {
            visit,
            confirm: (photo) =>
                this.takeStep(() => this.callVisit(visit, "report_no_show", [photo?.data || null])),
        });
    }

    onSign(visit) {
        this.dialog.add(SignatureDialog, {
            defaultName: visit.signed_by || visit.contact,
            nameAndSignatureProps: { mode: "draw", displaySignatureRatio: 2 },
            uploadSignature: ({ name, signatureImage }) =>
                this.takeStep(() =>
                    this.callVisit(visit, "sign", [name, signatureImage.split(",", 2)[1]]),
                ),
        });
    }

    onFinish(visit) {
        if (this.state.unsent.some((line) => line.visitId === visit.id)) {
            this.notification.add(
                _t("Some measurements are not sent yet. Finish the visit when they are."),
                { type: "warning" },
            );
            this.send();
            return;
        }
        this.dialog.add(FinishDialog, {
            visit,
            confirm: (note) => this.takeStep(() => this.finish(visit, note)),
        });
    }

    async finish(visit, note) {
        visit.note = note; // for another try, should this one fail
        await this.orm.write("crm.visit", [visit.id], { measurer_note: note });
        const { params } = await this.callVisit(visit, "action_done");
        this.notification.add(params.message, { type: "success" });
        this.state.currentId = null;
    }

    // ---------------------------------------------------------------- Measurements

    /** Begins a measurement, or opens one again: what is unsent as it was left. */
    onMeasure(visit, line = null, former = false) {
        const template = line || former;
        const unsent = line?.unsent || {
            uuid: line?.uuid || uuid(),
            visitId: visit.id,
            visitName: visit.name,
            lineId: line?.id || null,
            fields: {
                place: template?.place || "",
                product: template?.product || false,
                count: String(template?.count || 1),
                note: line?.note || "",
                ...Object.fromEntries(
                    SIZES.map((name) => [name, line?.[name] ? String(line[name]) : ""]),
                ),
            },
            values: null,
            photos: [],
            refusal: "",
            begunAt: Date.now(),
        };
        this.state.editing = { visit, former, line: { ...unsent, isReady: false } };
    }

    async onLineChanged(change) {
        const line = Object.assign(this.state.editing.line, change, {
            refusal: "",
            changedAt: Date.now(),
        });
        const others = this.state.unsent.filter(({ uuid }) => uuid !== line.uuid);
        const begunBefore = others.filter(({ begunAt }) => begunAt < line.begunAt);
        const kept = { ...line };
        this.state.unsent = [...begunBefore, kept, ...others.slice(begunBefore.length)];
        try {
            await this.store.put(kept);
        } catch {
            this.notification.add(
                _t("This browser keeps nothing: do not leave the page before it is sent."),
                { type: "danger" },
            );
        }
    }

    onLineSaved() {
        this.state.editing = null;
        this.send();
    }

    async onLineDiscarded(line) {
        this.state.editing = null;
        this.state.unsent = this.state.unsent.filter(({ uuid }) => uuid !== line.uuid);
        await this.store.remove(line.uuid);
    }

    onStrayDiscarded(line) {
        this.dialog.add(ConfirmationDialog, {
            title: _t("Discard the measurement?"),
            body: _t("It has not reached the server and is kept nowhere else."),
            confirmLabel: _t("Discard"),
            confirm: () => this.onLineDiscarded(line),
            cancelLabel: _t("Keep"),
            cancel: () => {},
        });
    }

    async searchProducts(term) {
        try {
            const products = await this.orm.silent.call("product.product", "name_search", [], {
                name: term,
                domain: [["sale_ok", "=", true]],
                limit: 20,
            });
            return products.map(([id, name]) => ({ id, name }));
        } catch (error) {
            this.onRequestFailed(error);
            const wanted = term.toLowerCase();
            return this.state.day.products.filter(({ name }) =>
                name.toLowerCase().includes(wanted),
            );
        }
    }

    // ---------------------------------------------------------------- Sending

    async readUnsent() {
        try {
            this.state.unsent = await this.store.getAll();
        } catch {
            this.state.unsent = []; // a browser that keeps nothing has kept nothing
        }
    }

    /** Sends what is ready, one after the other, until the connection is lost. */
    send() {
        return this.sending.exec(async () => {
            const ready = this.state.unsent.filter((line) => line.isReady && !line.refusal);
            for (const line of ready) {
                try {
                    await this.sendLine(line);
                } catch (error) {
                    if (error instanceof ConnectionLostError) {
                        this.state.isOffline = true;
                        return;
                    }
                    if (!(error instanceof RPCError)) {
                        throw error;
                    }
                    const refusal = error.data?.message || error.message;
                    await this.store.put({ ...line, refusal });
                    this.notification.add(`${line.visitName}: ${refusal}`, { type: "danger" });
                }
            }
            if (ready.length) {
                await this.loadDay();
                await this.readUnsent();
            } else if (this.state.isOffline) {
                await this.loadDay();
            }
        });
    }

    async sendLine(line) {
        await this.orm.silent.call("crm.visit", "save_measurement", [
            [line.visitId],
            line.uuid,
            line.values,
            line.photos,
            line.lineId,
        ]);
        await this.store.confirm(line);
    }
}

registry.category("actions").add("crm_wholesale.my_day", MyDay);
