-- How the relay finds what it may send, and the addresses that nothing is sent to any more.

-- What may be claimed, in lines of an account's mail for a domain
create index outgoing_recipient_ready on outgoing_recipient (account, domain, message_id, place)
    where ready and state = 'queued';
-- What is due later, or was claimed by who may be gone
create index outgoing_recipient_due on outgoing_recipient ((coalesce(claimed_until, due)))
    where not ready and state = 'queued';

create table suppression (
    account text collate "C" not null,          -- whose mail it holds up; '': everybody's
    address text collate "C" not null,          -- in lower case
    reason  text not null,                      -- what its sender is told
    created timestamptz not null default now(),
    expires timestamptz not null,
    primary key (account, address)
);
create index suppression_address on suppression (address, account);
create index suppression_expires on suppression (expires);
create index suppression_created on suppression (account, created);
