-- How much of an account's waits to be sent is added up whenever it sends.
create index outgoing_message_open on outgoing_message (account) include (size) where ended is null;
