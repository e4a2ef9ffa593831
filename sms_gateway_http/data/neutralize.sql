-- on a copy, messages stay in the database, and it cannot speak for the account
UPDATE sms_gateway
   SET driver = 'test',
       url = NULL,
       auth_value = NULL,
       login = NULL,
       secret = NULL,
       callback_secret = NULL,
       balance = NULL,
       balance_date = NULL,
       balance_wanted = FALSE;
