-- What links to inboxes are signed with: when it is replaced, all links of the account are good no more.
create table link_secret (
    account text collate "C" primary key references account on delete cascade,
    id      text collate "C" not null unique,   -- in each link, where the account is not to be told
    value   bytea not null
);
