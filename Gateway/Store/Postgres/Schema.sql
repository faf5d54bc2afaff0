-- Every commit takes the next position, and so commits stand in one order.
create table if not exists headtower_position (
    one boolean primary key default true check (one),
    n bigint not null,
    purged bigint not null
);

insert into headtower_position values (true, 0, 0) on conflict do nothing;

-- Without json: it was deleted.
create table if not exists headtower_document (
    id text collate "C" primary key,
    version bigint not null check (version > 0),
    json jsonb,
    keys text[] not null,
    position bigint not null,
    changed_at timestamptz not null default now()
);

create index if not exists headtower_document_position on headtower_document (position);

create table if not exists headtower_document_key (
    key text collate "C" primary key,
    id text collate "C" not null
);

create table if not exists headtower_audit (
    id bigint generated always as identity,
    replica text collate "C" not null,
    n bigint not null,
    at timestamptz not null,
    type text not null,
    request text,
    actor text,
    "row" text,
    line text not null,
    primary key (at, id)
) partition by range (at);

create index if not exists headtower_audit_id on headtower_audit (id);
create index if not exists headtower_audit_request on headtower_audit (request);
-- What is written again after a broken connection is written once.
create unique index if not exists headtower_audit_chain on headtower_audit (replica, n, at);
