{
    "name": "SMS over HTTP Gateways",
    "summary": "Send SMS through your own HTTP gateway, each message at most once",
    "version": "19.0.1.0.0",
    "category": "Hidden/Tools",
    "license": "LGPL-3",
    "author": "crm_wholesale contributors",
    "depends": ["sms"],
    "data": [
        "security/sms_gateway_http_groups.xml",
        "security/ir.model.access.csv",
        "security/sms_gateway_security.xml",
        "data/sms_gateway_data.xml",
        "wizard/sms_gateway_test_views.xml",
        "views/sms_gateway_views.xml",
        "views/sms_gateway_test_message_views.xml",
        "views/sms_sms_views.xml",
        "views/res_config_settings_views.xml",
        "views/sms_gateway_http_menus.xml",
    ],
    "assets": {
        "web.assets_backend": ["sms_gateway_http/static/src/**/*"],
    },
}
