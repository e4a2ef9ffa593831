import { browser } from "@web/core/browser/browser";
import { registry } from "@web/core/registry";
import { inputFiles } from "@web/../tests/utils";

const LOST = "crm_wholesale_connection_lost";

// The connection for measurements, lost and found again; it stays lost over a reload.
const { send } = XMLHttpRequest.prototype;
XMLHttpRequest.prototype.send = function (body) {
    if (browser.sessionStorage.getItem(LOST) && String(body).includes("save_measurement")) {
        setTimeout(() => this.dispatchEvent(new ProgressEvent("error")));
    } else {
        send.call(this, body);
    }
};

/** Returns a photo as a telephone takes it: 12 megapixels. */
async function takePhoto(name) {
    const canvas = document.createElement("canvas");
    canvas.width = 4000;
    canvas.height = 3000;
    canvas.getContext("2d").fillRect(500, 500, 2000, 1000);
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
    return new File([blob], name, { type: "image/png" });
}

registry.category("web_tour.tours").add("crm_wholesale_measurer_measures", {
    steps: () => [
        {
            content: "The address opens a map",
            trigger:
                ".o_crm_day_stop:contains(Olena Petrenko) " +
                "a[href^='https://www.google.com/maps/']:contains(Entuziastiv)",
        },
        {
            content: "The telephone dials",
            trigger: ".o_crm_day_stop a[href='tel:+380501234567']",
        },
        {
            content: "Set out",
            trigger: ".o_crm_day_actions button:contains(On My Way)",
            run: "click",
        },
        {
            content: "Arrive",
            trigger:
                ".o_crm_day:has(.o_crm_day_stop:contains(Expected at)) " +
                ".o_crm_day_actions button:contains(Arrived)",
            run: "click",
        },
        {
            content: "Nothing was measured yet: press Done",
            trigger: ".o_crm_day_actions button:contains(Done)",
            run: "click",
        },
        {
            content: "Finish all the same",
            trigger: ".modal footer button:contains(Finish)",
            run: "click",
        },
        {
            content: "The message says what is missing",
            trigger: ".o_error_dialog:contains(Enter what was measured) .btn-primary",
            run: "click",
        },
        {
            content: "Add a measurement",
            trigger: ".o_crm_day_actions button:contains(Add Measurement)",
            run: "click",
        },
        {
            content: "Say where",
            trigger: ".o_crm_day_form input[name=place]",
            run: "edit Kitchen",
        },
        {
            content: "Look for the product",
            trigger: ".o_crm_day_product input",
            run: "edit Window of test",
        },
        {
            content: "Choose the product",
            trigger: ".o_crm_day_product .o-autocomplete--dropdown-item:contains(Window of test)",
            run: "click",
        },
        {
            content: "Enter a width that cannot be",
            trigger: ".o_crm_day_form input[name=width]",
            run: "edit 0.2",
        },
        {
            content: "Enter the height",
            trigger: ".o_crm_day_form input[name=height]",
            run: "edit 1450",
        },
        {
            content: "Enter the pieces",
            trigger: ".o_crm_day_form input[name=count]",
            run: "edit 2",
        },
        {
            content: "Add a photo",
            trigger: ".o_crm_day_photo",
            async run() {
                await inputFiles(".o_crm_day_photo input", [await takePhoto("kitchen.png")]);
            },
        },
        {
            content: "The photo is there",
            trigger: ".o_crm_day_thumbnail",
        },
        {
            content: "Save it",
            trigger: ".o_crm_day_form button[type=submit]",
            run: "click",
        },
        {
            content: "The width is questioned",
            trigger: ".o_crm_day_question:contains(Width 0.2 mm?) button:contains(Correct)",
            run: "click",
        },
        {
            content: "Correct the width",
            trigger: ".o_crm_day_form input[name=width]",
            run: "edit 1200",
        },
        {
            content: "The connection is lost; save",
            trigger: ".o_crm_day_form button[type=submit]",
            run({ click }) {
                browser.sessionStorage.setItem(LOST, "1");
                click();
            },
        },
        {
            content: "The measurement waits, and the screen says so",
            trigger:
                ".o_crm_day:has(.o_crm_day_offline) " +
                ".o_crm_day_line:contains(Kitchen):contains(Not sent yet)",
        },
        {
            content: "A visit with unsent measurements is not finished",
            trigger: ".o_crm_day_actions button:contains(Done)",
            run: "click",
        },
        {
            content: "The screen says why not; reload the page",
            trigger: ".o_notification:contains(not sent yet)",
            expectUnloadPage: true,
            run: () => browser.location.reload(),
        },
        {
            content: "The measurement is still there, and the connection is back",
            trigger:
                ".o_crm_day_line:contains(Kitchen):contains(1200 × 1450):contains(Not sent yet)",
            run() {
                browser.sessionStorage.removeItem(LOST);
                window.dispatchEvent(new Event("online"));
            },
        },
        {
            content: "The measurement has been sent",
            trigger:
                ".o_crm_day_line:contains(Kitchen):has(.fa-camera):not(:contains(Not sent yet))",
        },
        {
            content: "Let the customer sign",
            trigger: ".o_crm_day_actions button:contains(Signature)",
            run: "click",
        },
        {
            content: "With the name written out",
            trigger: ".modal .o_web_sign_auto_button",
            run: "click",
        },
        {
            content: "Take the signature",
            trigger: ".modal footer button.btn-primary:enabled",
            run: "click",
        },
        {
            content: "The signature stands on the visit; finish",
            trigger:
                "body:not(:has(.modal)) .o_crm_day:has(.o_crm_day_stop:contains(Signed by)) " +
                ".o_crm_day_actions button:contains(Done)",
            run: "click",
        },
        {
            content: "Finish the visit",
            trigger: ".modal:contains(Signed by Olena Petrenko) footer button:contains(Finish)",
            run: "click",
        },
        {
            content: "The screen says what follows",
            trigger: ".o_notification:contains(Manager is asked to call the customer)",
        },
        {
            content: "The visit is done",
            trigger: "body:not(:has(.modal)) .o_crm_day_header:contains(1 of 1 done)",
        },
    ],
});

registry.category("web_tour.tours").add("crm_wholesale_measurer_meets_nobody", {
    steps: () => [
        {
            content: "Set out",
            trigger: ".o_crm_day_actions button:contains(On My Way)",
            run: "click",
        },
        {
            content: "Nobody is there",
            trigger: ".o_crm_day_actions button:contains(Nobody There)",
            run: "click",
        },
        {
            content: "Take a photo of the door",
            trigger: ".modal .o_crm_day_photo",
            async run() {
                await inputFiles(".modal .o_crm_day_photo input", [await takePhoto("door.png")]);
            },
        },
        {
            content: "Keep it",
            trigger: ".modal:has(img) footer button.btn-primary",
            run: "click",
        },
        {
            content: "The visit is over",
            trigger: "body:not(:has(.modal)) .o_crm_day_stop .badge:contains(No-Show)",
        },
    ],
});
