-- Whose own login may see and change what is everybody's: said by the command line alone.

alter table account add column operator boolean not null default false;
