-- Whether anything of a domain is handed on is asked with each look at the domain.
create index address_forward on address (domain) where forward is not null;
