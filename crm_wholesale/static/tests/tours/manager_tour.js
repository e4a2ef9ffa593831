import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";

const { DateTime } = luxon;

/** Steps that open a deal from the board of its team. */
function openDeal(deal) {
    return [
        stepUtils.showAppsMenuItem(),
        {
            content: "Open CRM",
            trigger: ".o_app[data-menu-xmlid='crm.crm_menu_root']",
            run: "click",
        },
        {
            content: "Open the menu Sales",
            trigger: "[data-menu-xmlid='crm.crm_menu_sales']",
            run: "click",
        },
        {
            content: "Open the teams",
            trigger: ".dropdown-item[data-menu-xmlid='crm.sales_team_menu_team_pipeline']",
            run: "click",
        },
        {
            content: "Open the board of the team Wholesale",
            trigger: ".o_kanban_record:contains(Wholesale)",
            run: "click",
        },
        {
            content: "The board has the team's own seven stages",
            trigger: ".o_kanban_renderer:has(.o_kanban_group:count(7)):contains(New request)",
        },
        {
            content: "Open the deal",
            trigger: `.o_kanban_group .o_kanban_record:contains(${deal})`,
            run: "click",
        },
    ];
}

/** Steps that open the booking dialog and choose measurer and start in it. */
function enterBooking(measurer, start) {
    return [
        {
            content: "Book a visit",
            trigger: ".o_form_statusbar button[name=action_schedule_visit]:visible",
            run: "click",
        },
        {
            content: "Look for the measurer",
            trigger: ".modal [name=measurer_id] input",
            run: `edit ${measurer}`,
        },
        {
            content: "Choose the measurer",
            trigger: `.modal .o-autocomplete--dropdown-item:contains(${measurer})`,
            run: "click",
        },
        ...enterStart(start),
    ];
}

/** The reader's own clock at a wall time in Kyiv. */
function toReaderTime(moment) {
    return DateTime.fromISO(moment, { zone: "Europe/Kyiv" }).toLocal().toFormat("h:mm a");
}

/** Steps that enter the start of the visit by hand, a wall time at the site. */
function enterStart(start) {
    const moment = DateTime.fromISO(start);
    return [
        {
            content: "Enter the day by hand",
            trigger: ".modal [name=site_day] input, .modal [name=site_day] button",
            run: "click",
        },
        {
            content: "Type the day",
            trigger: ".modal [name=site_day] input",
            run: `edit ${moment.toFormat("MM/dd/yyyy")} && press Enter`,
        },
        {
            content: "Type the time",
            trigger: ".modal [name=site_time] input",
            run: `edit ${moment.toFormat("HH:mm")} && press Tab`,
        },
    ];
}

const openVisits = {
    content: "Open the deal's visits",
    trigger: ".o_notebook .nav-link:contains(Visits)",
    run: "click",
};

registry.category("web_tour.tours").add("crm_wholesale_manager_books", {
    steps: () => [
        ...openDeal("Windows for the office"),
        {
            content: "The deal is new",
            trigger: ".o_statusbar_status .o_arrow_button_current:contains(New request)",
        },
        ...enterBooking("Measurer", "2035-06-04T10:00"),
        {
            content: "The time at the site is said in words",
            trigger: ".modal [name=local_start]:contains(Mon 4 Jun 2035, 10:00)",
        },
        {
            content: "Book",
            trigger: ".modal button[name=action_book]",
            run: "click",
        },
        {
            content: "The screen says who comes when",
            trigger: ".o_notification:contains(Measurer comes on Mon 4 Jun 2035, 10:00)",
        },
        {
            content: "The deal has moved",
            trigger: ".o_statusbar_status .o_arrow_button_current:contains(Measurement)",
        },
        openVisits,
        {
            content: "The deal tells at what minute the customer will be told",
            trigger: ".o_data_row [name=notice_summary]:contains(Planned, Mon 4 Jun 2035, 08:00)",
        },
        {
            content: "Open the visit",
            trigger: ".o_data_row button[name=action_open]",
            run: "click",
        },
        {
            content: "The SMS task stands on the visit with its minute",
            trigger:
                ".o-mail-Activity:contains(SMS to +380501234567) " +
                `.o-mail-Activity-dueTime:contains(${toReaderTime("2035-06-04T08:00")})`,
        },
    ],
});

registry.category("web_tour.tours").add("crm_wholesale_manager_takes_slot", {
    steps: () => [
        ...openDeal("Windows for the office"),
        {
            content: "The first click: book a visit",
            trigger: ".o_form_statusbar button[name=action_schedule_visit]:visible",
            run: "click",
        },
        {
            content: "Three slots stand on top; the second click takes one",
            trigger: ".modal .o_crm_slot_suggestions:has(.o_crm_slot:count(3)) .o_crm_slot:eq(1)",
            run: "click",
        },
        {
            content: "The screen says who comes when",
            trigger: ".modal .o_crm_slot_chosen:contains(Measurer)",
        },
        {
            content: "The third click: book",
            trigger: ".modal button[name=action_book]:visible",
            run: "click",
        },
        {
            content: "The visit is booked",
            trigger: ".o_notification:contains(Measurer comes on)",
        },
    ],
});

registry.category("web_tour.tours").add("crm_wholesale_manager_books_by_keyboard", {
    steps: () => [
        ...openDeal("Windows for the office"),
        {
            content: "Book a visit",
            trigger: ".o_form_statusbar button[name=action_schedule_visit]:visible",
            run: "click",
        },
        {
            content: "The first of the best slots has the focus",
            trigger: ".modal .o_crm_slot_large:eq(0):focus",
            run: "press ArrowRight",
        },
        {
            content: "The next one has it now; down to the days",
            trigger: ".modal .o_crm_slot_large:eq(1):focus",
            run: "press ArrowDown",
        },
        {
            content: "Take the slot",
            trigger: ".modal .o_crm_slot_days .o_crm_slot:focus",
            run: "press Enter",
        },
        {
            content: "The focus is on the button that books",
            trigger: ".modal button[name=action_book]:focus",
            run: "press Enter",
        },
        {
            content: "The visit is booked",
            trigger: ".o_notification:contains(Measurer comes on)",
        },
    ],
});

registry.category("web_tour.tours").add("crm_wholesale_manager_finds_nobody", {
    steps: () => [
        ...openDeal("Windows for the office"),
        {
            content: "Book a visit",
            trigger: ".o_form_statusbar button[name=action_schedule_visit]:visible",
            run: "click",
        },
        {
            content: "The screen says that nobody is free and shows the nearest slots",
            trigger:
                ".modal:contains(Nobody is free in these days):has(.o_crm_slot_large:count(3))",
        },
        {
            content: "Ask why",
            trigger: ".modal .o_crm_slot_reasons",
            run: "click",
        },
        {
            content: "The reason is told",
            trigger: ".modal .o_crm_booking_slots:contains(Measurer is away)",
        },
        {
            content: "Put the request in the queue",
            trigger: ".modal button[name=action_queue]",
            run: "click",
        },
        {
            content: "The screen says so",
            trigger: ".o_notification:contains(waits in the queue)",
        },
        {
            content: "The deal has not moved",
            trigger: ".o_statusbar_status .o_arrow_button_current:contains(New request)",
        },
    ],
});

registry.category("web_tour.tours").add("crm_wholesale_manager_quotes", {
    steps: () => [
        ...openDeal("Windows for the office"),
        openVisits,
        {
            content: "Quote what was measured",
            trigger: ".o_data_row button[name=action_create_quotation]",
            run: "click",
        },
        {
            content: "The quotation has the measured quantity",
            trigger:
                ".o_form_view:has(button[name=action_quotation_send]) " +
                ".o_data_row:contains(Kitchen) [name=product_uom_qty]:contains(3.48)",
        },
    ],
});

registry.category("web_tour.tours").add("crm_wholesale_manager_double_books", {
    steps: () => [
        ...openDeal("Windows for the office"),
        ...enterBooking("Measurer", "2035-06-04T10:30"),
        {
            content: "The dialog warns before anything is booked",
            trigger: ".modal .alert:contains(Measurer has visit)",
        },
        {
            content: "Book all the same",
            trigger: ".modal button[name=action_book]",
            run: "click",
        },
        {
            content: "The message says what to do",
            trigger:
                ".o_error_dialog:contains(Choose another time or another measurer.) .btn-primary",
            run: "click",
        },
        ...enterStart("2035-06-04T11:00"),
        {
            content: "The next hour is free",
            trigger: ".modal:has(button[name=action_book]):not(:contains(Measurer has visit))",
        },
        {
            content: "Book",
            trigger: ".modal button[name=action_book]",
            run: "click",
        },
        {
            content: "The visit is booked",
            trigger: ".o_notification:contains(Measurer comes on Mon 4 Jun 2035, 11:00)",
        },
    ],
});

registry.category("web_tour.tours").add("crm_wholesale_manager_day_board", {
    steps: () => [
        {
            content: "Go to the next day",
            trigger: ".o_crm_board button[aria-label='Next day']",
            run: "click",
        },
        {
            content: "The colleague's visit is busy time, and no more than that",
            trigger: ".o_crm_board_busy:contains(Busy):not(:contains(Taras))",
        },
        {
            content: "Find a slot for the visit that waits",
            trigger: ".o_crm_board_waiting:contains(Olena Petrenko) button:contains(Find a Slot)",
            run: "click",
        },
        {
            content: "Take the best one",
            trigger: ".modal .o_crm_slot_suggestions .o_crm_slot:eq(0)",
            run: "click",
        },
        {
            content: "It is chosen",
            trigger: ".modal .o_crm_slot_chosen:contains(Measurer)",
        },
        {
            content: "Book it",
            trigger: ".modal button[name=action_book]:visible",
            run: "click",
        },
        {
            content: "Nobody waits any more",
            trigger: ".o_crm_board_queue:contains(Nobody waits for a measurer)",
        },
        {
            content: "Open the own visit of that day",
            trigger: ".o_crm_board_block:contains(Ihor)",
            run: "click",
        },
        {
            content: "The visit opens, and can be moved on the same screen",
            trigger: ".o_crm_visit_form button[name=action_find_slot]:visible",
            run: "click",
        },
        {
            content: "The screen says what moves",
            trigger: ".modal:contains(Move Visit) .alert-info:contains(Measurer)",
        },
        {
            content: "Leave it where it is",
            trigger: ".modal button:contains(Discard)",
            run: "click",
        },
    ],
});
