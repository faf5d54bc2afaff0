create table session (
    id integer primary key autoincrement,
    hash text not null unique,
    kind text not null check (kind in ('oidc', 'api_key')),
    person_id integer references person (id) on delete cascade,
    key_prefix text,
    created_at integer not null,
    expires_at integer not null,
    last_used_at integer not null,
    client text,
    user_agent text,
    provider_session text,
    id_token text,
    check ((person_id is null) = (kind = 'api_key'))
) strict;

create index session_person on session (person_id);

-- Grows when a session comes or goes, so that other processes notice. Use alone does not count.
create table session_generation (
    one integer primary key check (one = 1),
    n integer not null
) strict;

insert into session_generation values (1, 1);

create trigger session_added after insert on session begin
    update session_generation set n = n + 1;
end;

create trigger session_removed after delete on session begin
    update session_generation set n = n + 1;
end;

-- The framework's key ring: protects what browsers carry between two requests.
create table protection_key (
    name text primary key,
    xml text not null
) strict;

-- Whether the address may find a Headscale user, by what was known at the last sign-in.
alter table person add column email_trusted integer not null default 0;
