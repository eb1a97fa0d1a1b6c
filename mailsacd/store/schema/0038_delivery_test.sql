-- Deliveries that somebody asked for to see what the receiver answers: of no stored message.

alter table delivery add column is_test boolean not null default false;
