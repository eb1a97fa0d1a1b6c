-- An erasure takes the messages of one owner: who may see them is not who counts them.
--
-- Who purges an inbox may find mail in it that another account owns and everybody sees. That was
-- gone from the inbox, but neither from its owner's list nor from its owner's counts.

alter table erasure add column takes_private boolean not null default true;
alter table erasure alter column takes_private drop default;
-- What is under way: the public mail of the inbox, of whichever owner, besides the account's own.
insert into erasure (account, in_domain, in_inbox, first_id, last_id, takes_starred, takes_public,
    takes_private, seen)
select others.owner, in_domain, in_inbox, first_id, last_id, takes_starred, takes_public, false, seen
from erasure cross join lateral (
    select distinct coalesce(owner, '') as owner from message
    where inbox = in_inbox and owner is distinct from account and not private
) others
where takes_public;
alter table erasure drop column takes_public;
comment on column erasure.account is 'whose messages they are; empty: nobody''s';
comment on column erasure.takes_private is 'also those that are hidden from others';

create or replace function is_erased(
    its_owner text, its_saved_by text, its_private boolean,
    its_inbox text, its_domain text, its_id text, its_xid xid8, by_this uuid default null
) returns boolean stable language plpgsql as $$
begin
    return exists (
        select from erasure
        where (by_this is null or id = by_this)
            and account = coalesce(its_owner, '')
            and (takes_private or not its_private)
            and (in_domain is null or in_domain = its_domain)
            and (in_inbox is null or in_inbox = its_inbox)
            and its_id collate "C" between first_id and last_id
            and (its_saved_by is null or takes_starred and its_saved_by = account)
            and (seen is null or its_xid is null or pg_visible_in_snapshot(its_xid, seen)));
end
$$;
