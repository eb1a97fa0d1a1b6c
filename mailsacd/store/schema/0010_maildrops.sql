-- What POP3 needs to know beside the messages.

-- How many octets POP3 sends, where these are not `size`: lines that had to be made whole.
alter table raw_message add column wire_size integer;

-- Who is at a maildrop, and since when: only kept where a setting asks for it.
create table maildrop (
    inbox      text collate "C" primary key,
    holder     text collate "C",            -- of the session that has it to itself
    held_until timestamptz,                 -- a session that lives renews this
    last_login timestamptz not null
);
create index maildrop_holder on maildrop (holder) where holder is not null;
