import { registry } from "@web/core/registry";
import { inputFiles } from "@web/../tests/utils";

const PIXEL =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

registry.category("web_tour.tours").add("crm_wholesale_measurer_measures", {
    steps: () => [
        {
            content: "The address opens a map",
            trigger:
                ".o_kanban_record:contains(Olena Petrenko) " +
                "a.o_crm_visit_address[href^='https://www.google.com/maps/']:contains(Entuziastiv)",
        },
        {
            content: "The telephone dials",
            trigger: "a.o_crm_visit_phone[href='tel:+380501234567']",
        },
        {
            content: "Set out",
            trigger: ".o_kanban_record button[name=action_on_my_way]",
            run: "click",
        },
        {
            content: "Arrive",
            trigger: ".o_kanban_record button[name=action_arrive]",
            run: "click",
        },
        {
            content: "Open the visit to measure",
            trigger: ".o_kanban_record a.btn:contains(Measure)",
            run: "click",
        },
        {
            content: "Nothing was measured yet: press Done",
            trigger: ".o_form_statusbar button[name=action_done]",
            run: "click",
        },
        {
            content: "The message says what is missing",
            trigger: ".o_error_dialog:contains(Enter what was measured) .btn-primary",
            run: "click",
        },
        {
            content: "Add a measurement",
            trigger: ".o_field_x2many button:contains(Add Measurement)",
            run: "click",
        },
        {
            content: "Say where",
            trigger: ".modal [name=place] input",
            run: "edit Kitchen",
        },
        {
            content: "Open the products",
            trigger: ".modal [name=product_id] input",
            run: "click",
        },
        {
            content: "Choose the product",
            trigger: ".modal .o_kanban_record:contains(Window of test)",
            run: "click",
        },
        {
            content: "The product is chosen",
            trigger: ".modal [name=product_id] input:value(Window of test)",
        },
        {
            content: "Enter the width",
            trigger: ".modal [name=width] input",
            run: "edit 1200",
        },
        {
            content: "Enter the height",
            trigger: ".modal [name=height] input",
            run: "edit 1450",
        },
        {
            content: "Enter the pieces",
            trigger: ".modal [name=count] input",
            run: "edit 2 && press Tab",
        },
        {
            content: "Add a photo",
            trigger: ".modal [name=photo_ids] .o_attach",
            async run() {
                const bytes = Uint8Array.from(atob(PIXEL), (char) => char.charCodeAt(0));
                const photo = new File([bytes], "kitchen.png", { type: "image/png" });
                await inputFiles(".modal [name=photo_ids] input[type=file]", [photo]);
            },
        },
        {
            content: "The photo is there",
            trigger: ".modal [name=photo_ids] .o_attachment:contains(kitchen.png)",
        },
        {
            content: "The quantity follows from the sizes",
            trigger: ".modal [name=quantity]:contains(3.48)",
        },
        {
            content: "Save the measurement",
            trigger: ".modal footer button:contains(Save & Close)",
            run: "click",
        },
        {
            content: "The measurement stands on the visit",
            trigger: ".o_field_x2many .o_kanban_record:contains(Kitchen):has(.fa-camera)",
        },
        {
            content: "Finish the visit",
            trigger: "body:not(:has(.modal)) .o_form_statusbar button[name=action_done]",
            run: "click",
        },
        {
            content: "The screen says what follows",
            trigger: ".o_notification:contains(Manager is asked to call the customer)",
        },
        {
            content: "The day's visits are back, this one done",
            trigger: ".o_kanban_record:contains(Olena Petrenko) .badge:contains(Done)",
        },
    ],
});
