-- Mail that is gone for everybody, and whose rows are yet to be removed.
--
-- To delete a million messages takes half a minute. So it is written down here which they are: from
-- the commit on no statement sees them (mailsacd/store/views.py), and the rows are removed after it.

create table erasure (
    id            uuid primary key default gen_random_uuid(),
    begun         timestamptz not null default clock_timestamp(),
    account       text collate "C" not null,   -- whose messages they are,
    in_domain     text collate "C",            -- to which domain; null: to all,
    in_inbox      text collate "C",            -- and to which inbox; null: to all
    first_id      text collate "C" not null,   -- of these ids, both included,
    last_id       text collate "C" not null,
    takes_starred boolean not null,            -- also those that the account has starred,
    takes_public  boolean not null,            -- and those that everybody may see,
    seen          pg_snapshot,                 -- of all that were stored in this; null: of all times
    -- What is left of them of what counts for the account (see mail_count)
    held          bigint not null default 0,
    starred       bigint not null default 0,
    owned         bigint not null default 0,
    unread        bigint not null default 0,
    bytes         bigint not null default 0,
    owned_bytes   bigint not null default 0
);
-- Most of the time it is empty, and each statement that reads messages looks here.
alter table erasure set (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20,
    autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 1000000
);

-- Until then the removal of an account is one node's; null: anybody's.
alter table account add column removal_claimed timestamptz;
create index account_removing on account (name) where removing;

-- Whether a message is gone already, by any erasure or one of them. It is asked while there is any.
create function is_erased(
    its_owner text, its_saved_by text, its_private boolean,
    its_inbox text, its_domain text, its_id text, its_xid xid8, by_this uuid default null
) returns boolean stable language plpgsql as $$
begin
    return exists (
        select from erasure
        where (by_this is null or id = by_this)
            and (account = its_owner or takes_public and not its_private)
            and (in_domain is null or in_domain = its_domain)
            and (in_inbox is null or in_inbox = its_inbox)
            and its_id collate "C" between first_id and last_id
            and (its_saved_by is null or takes_starred and its_saved_by = account)
            and (seen is null or its_xid is null or pg_visible_in_snapshot(its_xid, seen)));
end
$$;

-- The functions of 0019: what is gone counts towards no limit, though its row is there.
create or replace function beyond_inbox(name text) returns text stable language plpgsql as $$
begin
    return coalesce((
        select found.id from retention cross join lateral (
            select id from message
            where inbox = name and owner is null and saved_by is null
                -- A node whose clock was wrong is not to fill an inbox with what stays the newest
                and received < now() + interval '1 day'
                and (not (select exists (select from erasure))
                     or not is_erased(owner, saved_by, private, inbox, domain, id, xid))
            order by id desc offset public_per_inbox limit 1
        ) found
        where public_per_inbox <= 10000), '');
end
$$;

create or replace function standing(
    name text, out held bigint, out starred bigint, out most bigint
) stable language plpgsql as $$
begin
    select coalesce(sum(counted.held), 0), coalesce(sum(counted.starred), 0), (
        select coalesce((overrides ->> 'message_limit')::bigint,
                        (select message_limit from plan_limit where plan_limit.plan = account.plan),
                        (select message_limit from plan_limit where plan_limit.plan = ''))
        from account where account.name = standing.name)
    into held, starred, most
    from (select mail_count.held, mail_count.starred from mail_count
          where account = name and domain = ''
          union all
          select count_change.held, count_change.starred from count_change
          where account = name
          union all
          select -erasure.held, -erasure.starred from erasure
          where account = name) counted;
end
$$;

create or replace function beyond_account(name text, of_starred boolean) returns text
stable language plpgsql as $$
declare
    has  record := standing(name);
    have bigint := has.held - has.starred;
    keep bigint := greatest(has.most - has.starred, 0);
begin
    if of_starred then
        have := has.starred;
        keep := has.most;
    end if;
    if has.most is null or have <= keep then
        return '';
    elsif exists (select from erasure where account = name) then
        return coalesce((
            select id from message
            where (of_starred and saved_by = name
                   or not of_starred and owner = name and saved_by is null)
                and not is_erased(owner, saved_by, private, inbox, domain, id, xid)
            order by id desc offset keep limit 1), '');
    elsif of_starred and have - keep <= keep then
        return (select id from message where saved_by = name
                order by id offset have - keep - 1 limit 1);
    elsif of_starred then
        return (select id from message where saved_by = name
                order by id desc offset keep limit 1);
    elsif have - keep <= keep then
        return (select id from message where owner = name and saved_by is null
                order by id offset have - keep - 1 limit 1);
    else
        return (select id from message where owner = name and saved_by is null
                order by id desc offset keep limit 1);
    end if;
end
$$;
