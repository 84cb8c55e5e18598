-- +goose Up
CREATE TABLE {inboxes} (
    pk       INTEGER PRIMARY KEY AUTOINCREMENT,
    id       TEXT    NOT NULL UNIQUE,
    site     TEXT    NOT NULL,
    team     INTEGER NOT NULL,
    state    TEXT    NOT NULL,
    provider TEXT,
    account  TEXT,
    address  TEXT,
    version  INTEGER NOT NULL,
    doc      TEXT    NOT NULL
);
CREATE INDEX {inboxes_site} ON {inboxes} (site, id, team, state);
CREATE UNIQUE INDEX {inboxes_account} ON {inboxes} (site, provider, account)
    WHERE account IS NOT NULL;
CREATE UNIQUE INDEX {inboxes_address} ON {inboxes} (site, address) WHERE address IS NOT NULL;

CREATE TABLE {readers} (
    site   TEXT NOT NULL,
    person TEXT NOT NULL,
    inbox  TEXT NOT NULL,
    PRIMARY KEY (site, person, inbox)
) WITHOUT ROWID;
CREATE INDEX {readers_inbox} ON {readers} (inbox);

CREATE TABLE {purges} (inbox INTEGER PRIMARY KEY);

CREATE TABLE {syncs} (
    inbox    INTEGER PRIMARY KEY,
    version  INTEGER NOT NULL,
    seq      INTEGER NOT NULL,
    queued   INTEGER NOT NULL,
    poisoned INTEGER NOT NULL,
    doc      TEXT    NOT NULL
);

CREATE TABLE {messages} (
    pk       INTEGER PRIMARY KEY,
    id       TEXT    NOT NULL,
    inbox    INTEGER NOT NULL,
    remote   TEXT    NOT NULL,
    thread   TEXT    NOT NULL,
    received INTEGER NOT NULL,
    vis      INTEGER NOT NULL,
    flags    INTEGER NOT NULL,
    stored   INTEGER NOT NULL,
    rfcid    TEXT,
    marker   TEXT,
    customer TEXT,
    company  TEXT    NOT NULL,
    folder   TEXT    NOT NULL,
    doc      TEXT    NOT NULL
);
CREATE UNIQUE INDEX {messages_id} ON {messages} (id);
CREATE UNIQUE INDEX {messages_remote} ON {messages} (inbox, remote);
CREATE INDEX {messages_list} ON {messages} (inbox, received, id, vis);
CREATE INDEX {messages_thread} ON {messages} (inbox, thread, received, id, vis);
CREATE INDEX {messages_rfcid} ON {messages} (inbox, rfcid) WHERE rfcid IS NOT NULL;
CREATE INDEX {messages_marker} ON {messages} (inbox, marker) WHERE marker IS NOT NULL;
CREATE INDEX {messages_customer} ON {messages} (inbox, customer, received, id, vis)
    WHERE customer IS NOT NULL;

CREATE TABLE {contents} (
    pk    INTEGER PRIMARY KEY,
    body  TEXT NOT NULL,
    html  TEXT NOT NULL,
    parts TEXT
);

CREATE TABLE {changes} (
    pk      INTEGER PRIMARY KEY,
    kind    TEXT    NOT NULL,
    made    INTEGER NOT NULL,
    message TEXT    NOT NULL,
    thread  TEXT    NOT NULL,
    person  TEXT    NOT NULL
);

CREATE TABLE {items} (
    inbox      INTEGER NOT NULL,
    remote     TEXT    NOT NULL,
    state      INTEGER NOT NULL,
    thread     TEXT    NOT NULL,
    received   INTEGER NOT NULL,
    reason     TEXT    NOT NULL,
    client     INTEGER NOT NULL,
    rules      INTEGER NOT NULL,
    folder     TEXT    NOT NULL,
    sent       INTEGER NOT NULL,
    unread     INTEGER NOT NULL,
    attempts   INTEGER NOT NULL,
    not_before INTEGER,
    code       TEXT    NOT NULL,
    PRIMARY KEY (inbox, remote)
) WITHOUT ROWID;
CREATE INDEX {items_due} ON {items} (inbox, state, not_before, remote) WHERE not_before IS NOT NULL;
CREATE INDEX {items_thread} ON {items} (inbox, thread) WHERE client = 1;

CREATE TABLE {threads} (
    inbox  INTEGER NOT NULL,
    thread TEXT    NOT NULL,
    opened INTEGER,
    PRIMARY KEY (inbox, thread)
) WITHOUT ROWID;

CREATE TABLE {runs} (
    inbox   INTEGER NOT NULL,
    id      TEXT    NOT NULL,
    started INTEGER NOT NULL,
    doc     TEXT    NOT NULL,
    PRIMARY KEY (inbox, id)
) WITHOUT ROWID;
CREATE INDEX {runs_started} ON {runs} (inbox, started, id);

CREATE TABLE {events} (
    id         TEXT    NOT NULL PRIMARY KEY,
    attempts   INTEGER NOT NULL,
    not_before INTEGER NOT NULL,
    told       TEXT    NOT NULL,
    doc        TEXT    NOT NULL
) WITHOUT ROWID;

CREATE TABLE {snapshots} (
    site    TEXT    NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE {companies} (
    site    TEXT    NOT NULL,
    id      TEXT    NOT NULL,
    deleted INTEGER NOT NULL,
    grp     INTEGER NOT NULL,
    version INTEGER NOT NULL,
    doc     TEXT    NOT NULL,
    PRIMARY KEY (site, id)
);
CREATE INDEX {companies_groups} ON {companies} (site, id) WHERE grp = 1;
CREATE INDEX {companies_deleted} ON {companies} (site, id) WHERE deleted = 1;

CREATE TABLE {domains} (
    site    TEXT    NOT NULL,
    pattern TEXT    NOT NULL,
    company TEXT    NOT NULL,
    forced  INTEGER NOT NULL,
    since   INTEGER NOT NULL,
    PRIMARY KEY (site, pattern)
) WITHOUT ROWID;
CREATE INDEX {domains_company} ON {domains} (site, company);

CREATE TABLE {customers} (
    site    TEXT    NOT NULL,
    id      TEXT    NOT NULL,
    deleted INTEGER NOT NULL,
    by_hand INTEGER NOT NULL,
    company TEXT    NOT NULL,
    version INTEGER NOT NULL,
    doc     TEXT    NOT NULL,
    PRIMARY KEY (site, id)
);
CREATE INDEX {customers_company} ON {customers} (site, company, id);

CREATE TABLE {addresses} (
    site     TEXT    NOT NULL,
    address  TEXT    NOT NULL,
    customer TEXT    NOT NULL,
    live     INTEGER NOT NULL,
    company  TEXT    NOT NULL,
    since    INTEGER NOT NULL,
    host     TEXT    NOT NULL,
    PRIMARY KEY (site, address, customer)
) WITHOUT ROWID;
CREATE UNIQUE INDEX {addresses_live} ON {addresses} (site, address) WHERE live = 1;
CREATE INDEX {addresses_customer} ON {addresses} (site, customer);
CREATE INDEX {addresses_host} ON {addresses} (site, host, customer);

CREATE TABLE {known} (
    site     TEXT NOT NULL,
    customer TEXT NOT NULL,
    inbox    TEXT NOT NULL,
    PRIMARY KEY (site, customer, inbox)
) WITHOUT ROWID;
CREATE INDEX {known_inbox} ON {known} (inbox, site, customer);

CREATE TABLE {credentials} (
    inbox   TEXT    NOT NULL,
    purpose TEXT    NOT NULL,
    version INTEGER NOT NULL,
    secret  BLOB    NOT NULL,
    PRIMARY KEY (inbox, purpose)
) WITHOUT ROWID;

CREATE TABLE {numbers} (
    site TEXT    NOT NULL PRIMARY KEY,
    last INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE {tickets} (
    pk       INTEGER PRIMARY KEY AUTOINCREMENT,
    id       TEXT    NOT NULL,
    site     TEXT    NOT NULL,
    inbox    TEXT    NOT NULL,
    number   INTEGER NOT NULL,
    activity INTEGER NOT NULL,
    trash    INTEGER NOT NULL,
    hidden   INTEGER NOT NULL,
    imported INTEGER NOT NULL,
    status   TEXT    NOT NULL,
    assignee TEXT,
    customer TEXT,
    company  TEXT,
    tags     TEXT    NOT NULL,
    version  INTEGER NOT NULL,
    doc      TEXT    NOT NULL
);
CREATE UNIQUE INDEX {tickets_id} ON {tickets} (id);
CREATE UNIQUE INDEX {tickets_number} ON {tickets} (number, site);
CREATE INDEX {tickets_site} ON {tickets} (site, trash, activity, id, hidden, inbox, status);
CREATE INDEX {tickets_inbox} ON {tickets} (inbox, trash, activity, id, hidden, status);
CREATE INDEX {tickets_assignee} ON {tickets} (assignee, site, trash, activity, id)
    WHERE assignee IS NOT NULL;
CREATE INDEX {tickets_customer} ON {tickets} (customer, site, trash, activity, id)
    WHERE customer IS NOT NULL;
CREATE INDEX {tickets_company} ON {tickets} (company, site, trash, activity, id)
    WHERE company IS NOT NULL;

CREATE TABLE {ticket_threads} (
    thread TEXT    NOT NULL,
    ticket INTEGER NOT NULL,
    PRIMARY KEY (thread, ticket)
) WITHOUT ROWID;
CREATE INDEX {ticket_threads_ticket} ON {ticket_threads} (ticket);

CREATE TABLE {entries} (
    pk         INTEGER PRIMARY KEY AUTOINCREMENT,
    id         TEXT    NOT NULL,
    ticket     INTEGER NOT NULL,
    inbox      TEXT    NOT NULL,
    made       INTEGER NOT NULL,
    message    TEXT,
    rfcid      TEXT,
    marker     TEXT,
    outgoing   TEXT,
    not_before INTEGER,
    doc        TEXT    NOT NULL
);
CREATE UNIQUE INDEX {entries_id} ON {entries} (id);
CREATE INDEX {entries_ticket} ON {entries} (ticket, made, id);
CREATE INDEX {entries_inbox} ON {entries} (inbox, made, id);
CREATE INDEX {entries_message} ON {entries} (message) WHERE message IS NOT NULL;
CREATE INDEX {entries_rfcid} ON {entries} (rfcid) WHERE rfcid IS NOT NULL;
CREATE INDEX {entries_marker} ON {entries} (marker) WHERE marker IS NOT NULL;
CREATE INDEX {entries_outgoing} ON {entries} (outgoing, not_before) WHERE outgoing IS NOT NULL;

CREATE TABLE {marks} (
    inbox   TEXT    NOT NULL PRIMARY KEY,
    seq     INTEGER NOT NULL,
    version INTEGER NOT NULL
) WITHOUT ROWID;
