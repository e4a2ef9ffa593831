{
    "name": "Wholesale CRM: Day Planning with VROOM",
    "summary": "The visits of all measurers planned with the least time on the way",
    "version": "19.0.1.0.0",
    "category": "Sales/CRM",
    "author": "crm_wholesale contributors",
    "license": "LGPL-3",
    "depends": ["crm_wholesale"],
    "external_dependencies": {"python": ["pyvroom"]},
    "data": ["wizard/crm_visit_plan_views.xml"],
}
