{
    "name": "Wholesale CRM: Deliveries",
    "summary": "A deal moves by itself when its orders have been delivered",
    "version": "19.0.1.0.0",
    "category": "Sales/CRM",
    "author": "crm_wholesale contributors",
    "license": "LGPL-3",
    "depends": ["crm_wholesale", "sale_stock"],
    "demo": ["demo/sale_order_demo.xml"],
    "auto_install": True,
}
