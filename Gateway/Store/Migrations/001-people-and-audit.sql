create table person (
    id integer primary key autoincrement,
    source text not null,
    issuer text not null,
    subject text not null,
    name text,
    email text,
    picture text,
    role text not null,
    headscale_user text,
    link_fingerprint text,
    link_source text check (link_source in ('auto', 'claim', 'admin')),
    created_at integer not null,
    unique (source, issuer, subject),
    check ((headscale_user is null) = (link_source is null) and (headscale_user is null) = (link_fingerprint is null))
) strict;

-- At most one owner, whatever two processes do at the same time.
create unique index person_one_owner on person (role) where role = 'owner';

-- A Headscale user belongs to one person.
create unique index person_one_claim on person (headscale_user) where headscale_user is not null;

-- Grows with every change to a person, so that other processes notice.
create table generation (
    one integer primary key check (one = 1),
    n integer not null
) strict;

insert into generation values (1, 1);

create trigger person_added after insert on person begin
    update generation set n = n + 1;
end;

create trigger person_changed after update on person begin
    update generation set n = n + 1;
end;

create trigger person_removed after delete on person begin
    update generation set n = n + 1;
end;

create table audit (
    id integer primary key autoincrement,
    at integer not null,
    request_id text not null unique,
    kind text not null,
    actor text,
    role text,
    headscale_user text,
    "row" text,
    method text not null,
    path text not null,
    reason text not null,
    status integer,
    client text,
    duration real,
    detail text
) strict;

create index audit_at on audit (at);
