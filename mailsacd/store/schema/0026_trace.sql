-- What an operator follows of a recipient, while he looks: a lease that ends by itself, and what was seen.

create table trace (
    id    text collate "C" primary key,
    names text[] not null,          -- addresses
    until timestamptz not null      -- who looks renews it
);
create table trace_step (
    id      text collate "C" primary key,   -- rises with time
    trace   text collate "C" not null references trace on delete cascade,
    session text not null,          -- of SMTP; '' where there is none
    what    text not null,          -- recipient, message, push, webhook, slack
    detail  text not null
);
create index trace_step_trace on trace_step (trace, id);
