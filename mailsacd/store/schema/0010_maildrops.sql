-- What POP3 needs to know beside the messages.

alter table raw_message
    -- whether it can be sent as it is stored: no line to be made whole, no dot to be stuffed
    add column plain     boolean not null default false,
    -- how many octets are sent, stuffed dots aside, where these are not `size`
    add column wire_size integer;

-- Who is at a maildrop, and since when: only kept where a setting asks for it.
create table maildrop (
    inbox      text collate "C" primary key,
    holder     text collate "C",            -- of the session that has it to itself
    held_until timestamptz,                 -- a session that lives renews this
    last_login timestamptz not null
);
create index maildrop_holder on maildrop (holder) where holder is not null;
