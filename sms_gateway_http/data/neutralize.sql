-- on a copy, messages stay in the database, and it cannot speak for the account
UPDATE sms_gateway
   SET driver = 'test',
       url = NULL,
       auth_value = NULL;
