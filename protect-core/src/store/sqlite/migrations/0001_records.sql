-- Frozen: a file in the field holds exactly this. What is missing comes as the next number.

-- Times are UTC in RFC 3339 with nine decimals, so that they sort as text and lose nothing.
-- The table has its own row numbers, so that bodies are appended and not spread over all pages.
create table records (
    tenant      text    not null,
    kind        text    not null,
    key         text    not null,
    version     integer not null,
    state       text    not null,
    grp         text    not null,
    due         text,
    lease_until text,
    fence       integer,
    body        text    not null
) strict;

create unique index records_by_key on records (tenant, kind, key);

-- Without the key: keys are mostly hashes, and every index that holds them costs each write one
-- more page of its own.
create index records_by_state on records (tenant, kind, state);
create index records_by_group on records (tenant, kind, grp) where grp <> '';
create index records_by_due on records (kind, due, tenant, key) where due is not null;

-- One row per entry; `entry` is its canonical JSON with its hash.
create table ledger (
    tenant   text    not null,
    sequence integer not null,
    hash     text    not null,
    entry    text    not null,
    primary key (tenant, sequence)
) strict, without rowid;

-- The last fence that was given to any lease.
create table fence (
    only_row integer primary key check (only_row = 1),
    last     integer not null
) strict;

insert into fence (only_row, last) values (1, 0);
