-- +goose Up
-- Ids are bytes: the collations of texts compare "a" and "a " as one. A table that is there is of a
-- migration that was cut short, since none of these statements can be undone.

CREATE TABLE IF NOT EXISTS {inboxes} (
    pk         BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    id         VARBINARY(255) NOT NULL,
    site       VARBINARY(255) NOT NULL,
    team       SMALLINT NOT NULL,
    state      VARBINARY(64) NOT NULL,
    provider   VARBINARY(64),
    account    VARBINARY(512),
    address    VARBINARY(512),
    version    BIGINT NOT NULL,
    doc        LONGBLOB NOT NULL,
    UNIQUE KEY {inboxes_id} (id),
    KEY {inboxes_site} (site, id, team, state),
    UNIQUE KEY {inboxes_account} (site, provider, account),
    UNIQUE KEY {inboxes_address} (site, address)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET = utf8mb4;

CREATE TABLE IF NOT EXISTS {readers} (
    site       VARBINARY(255) NOT NULL,
    person     VARBINARY(255) NOT NULL,
    inbox      VARBINARY(255) NOT NULL,
    PRIMARY KEY (site, person, inbox),
    KEY {readers_inbox} (inbox)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET = utf8mb4;

CREATE TABLE IF NOT EXISTS {purges} (
    inbox      BIGINT NOT NULL PRIMARY KEY
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET = utf8mb4;

CREATE TABLE IF NOT EXISTS {syncs} (
    inbox      BIGINT NOT NULL PRIMARY KEY,
    version    BIGINT NOT NULL,
    seq        BIGINT NOT NULL,
    queued     BIGINT NOT NULL,
    poisoned   BIGINT NOT NULL,
    doc        LONGBLOB NOT NULL
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET = utf8mb4;

CREATE TABLE IF NOT EXISTS {messages} (
    pk         BIGINT NOT NULL PRIMARY KEY,
    id         VARBINARY(255) NOT NULL,
    inbox      BIGINT NOT NULL,
    remote     VARBINARY(512) NOT NULL,
    thread     VARBINARY(512) NOT NULL,
    received   BIGINT NOT NULL,
    vis        SMALLINT NOT NULL,
    flags      BIGINT NOT NULL,
    `stored`   BIGINT NOT NULL,
    rfcid      MEDIUMBLOB,
    marker     MEDIUMBLOB,
    customer   VARBINARY(255),
    company    VARBINARY(255) NOT NULL,
    folder     VARBINARY(64) NOT NULL,
    doc        LONGBLOB NOT NULL,
    UNIQUE KEY {messages_id} (id),
    UNIQUE KEY {messages_remote} (inbox, remote),
    KEY {messages_list} (inbox, received, id, vis),
    KEY {messages_thread} (inbox, thread, received, id, vis),
    KEY {messages_rfcid} (inbox, rfcid(255)),
    KEY {messages_marker} (inbox, marker(255)),
    KEY {messages_customer} (inbox, customer, received, id, vis)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET = utf8mb4;

CREATE TABLE IF NOT EXISTS {contents} (
    pk         BIGINT NOT NULL PRIMARY KEY,
    body       LONGBLOB NOT NULL,
    html       LONGBLOB NOT NULL,
    parts      LONGBLOB
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET = utf8mb4;

CREATE TABLE IF NOT EXISTS {changes} (
    pk         BIGINT NOT NULL PRIMARY KEY,
    kind       VARBINARY(64) NOT NULL,
    made       BIGINT NOT NULL,
    message    VARBINARY(255) NOT NULL,
    thread     VARBINARY(512) NOT NULL,
    person     VARBINARY(255) NOT NULL
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET = utf8mb4;

CREATE TABLE IF NOT EXISTS {items} (
    inbox      BIGINT NOT NULL,
    remote     VARBINARY(512) NOT NULL,
    state      SMALLINT NOT NULL,
    thread     VARBINARY(512) NOT NULL,
    received   BIGINT NOT NULL,
    reason     VARBINARY(64) NOT NULL,
    client     SMALLINT NOT NULL,
    rules      BIGINT NOT NULL,
    folder     VARBINARY(64) NOT NULL,
    sent       BIGINT NOT NULL,
    unread     SMALLINT NOT NULL,
    attempts   BIGINT NOT NULL,
    not_before BIGINT,
    code       VARBINARY(64) NOT NULL,
    PRIMARY KEY (inbox, remote),
    KEY {items_due} (inbox, state, not_before, remote),
    KEY {items_thread} (inbox, client, thread)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET = utf8mb4;

CREATE TABLE IF NOT EXISTS {threads} (
    inbox      BIGINT NOT NULL,
    thread     VARBINARY(512) NOT NULL,
    opened     BIGINT,
    PRIMARY KEY (inbox, thread)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET = utf8mb4;

CREATE TABLE IF NOT EXISTS {runs} (
    inbox      BIGINT NOT NULL,
    id         VARBINARY(255) NOT NULL,
    started    BIGINT NOT NULL,
    doc        LONGBLOB NOT NULL,
    PRIMARY KEY (inbox, id),
    KEY {runs_started} (inbox, started, id)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET = utf8mb4;

CREATE TABLE IF NOT EXISTS {events} (
    id         VARBINARY(255) NOT NULL PRIMARY KEY,
    attempts   BIGINT NOT NULL,
    not_before BIGINT NOT NULL,
    told       LONGBLOB NOT NULL,
    doc        LONGBLOB NOT NULL
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET = utf8mb4;

CREATE TABLE IF NOT EXISTS {snapshots} (
    site       VARBINARY(255) NOT NULL PRIMARY KEY,
    version    BIGINT NOT NULL
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET = utf8mb4;

CREATE TABLE IF NOT EXISTS {companies} (
    site       VARBINARY(255) NOT NULL,
    id         VARBINARY(255) NOT NULL,
    deleted    SMALLINT NOT NULL,
    grp        SMALLINT NOT NULL,
    version    BIGINT NOT NULL,
    doc        LONGBLOB NOT NULL,
    PRIMARY KEY (site, id),
    KEY {companies_groups} (site, grp, id),
    KEY {companies_deleted} (site, deleted, id)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET = utf8mb4;

CREATE TABLE IF NOT EXISTS {domains} (
    site       VARBINARY(255) NOT NULL,
    pattern    VARBINARY(512) NOT NULL,
    company    VARBINARY(255) NOT NULL,
    forced     SMALLINT NOT NULL,
    `since`    BIGINT NOT NULL,
    PRIMARY KEY (site, pattern),
    KEY {domains_company} (site, company)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET = utf8mb4;

CREATE TABLE IF NOT EXISTS {customers} (
    site       VARBINARY(255) NOT NULL,
    id         VARBINARY(255) NOT NULL,
    deleted    SMALLINT NOT NULL,
    by_hand    SMALLINT NOT NULL,
    company    VARBINARY(255) NOT NULL,
    version    BIGINT NOT NULL,
    doc        LONGBLOB NOT NULL,
    PRIMARY KEY (site, id),
    KEY {customers_company} (site, company, id)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET = utf8mb4;

CREATE TABLE IF NOT EXISTS {addresses} (
    site       VARBINARY(255) NOT NULL,
    address    VARBINARY(512) NOT NULL,
    customer   VARBINARY(255) NOT NULL,
    live       SMALLINT NOT NULL,
    company    VARBINARY(255) NOT NULL,
    `since`    BIGINT NOT NULL,
    `host`     VARBINARY(512) NOT NULL,
    -- Only live customers hold an address alone.
    alone      VARBINARY(512) AS (IF(live = 1, address, NULL)) VIRTUAL,
    PRIMARY KEY (site, address, customer),
    UNIQUE KEY {addresses_live} (site, alone),
    KEY {addresses_customer} (site, customer),
    KEY {addresses_host} (site, `host`, customer)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET = utf8mb4;

CREATE TABLE IF NOT EXISTS {known} (
    site       VARBINARY(255) NOT NULL,
    customer   VARBINARY(255) NOT NULL,
    inbox      VARBINARY(255) NOT NULL,
    PRIMARY KEY (site, customer, inbox),
    KEY {known_inbox} (inbox, site, customer)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET = utf8mb4;

CREATE TABLE IF NOT EXISTS {credentials} (
    inbox      VARBINARY(255) NOT NULL,
    purpose    VARBINARY(64) NOT NULL,
    version    BIGINT NOT NULL,
    secret     LONGBLOB NOT NULL,
    PRIMARY KEY (inbox, purpose)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET = utf8mb4;

CREATE TABLE IF NOT EXISTS {numbers} (
    site       VARBINARY(255) NOT NULL PRIMARY KEY,
    `last`     BIGINT NOT NULL
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET = utf8mb4;

CREATE TABLE IF NOT EXISTS {tickets} (
    pk         BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    id         VARBINARY(255) NOT NULL,
    site       VARBINARY(255) NOT NULL,
    inbox      VARBINARY(255) NOT NULL,
    `number`   BIGINT NOT NULL,
    activity   BIGINT NOT NULL,
    trash      SMALLINT NOT NULL,
    hidden     SMALLINT NOT NULL,
    imported   SMALLINT NOT NULL,
    status     VARBINARY(64) NOT NULL,
    assignee   VARBINARY(255),
    customer   VARBINARY(255),
    company    VARBINARY(255),
    tags       MEDIUMBLOB NOT NULL,
    version    BIGINT NOT NULL,
    doc        LONGBLOB NOT NULL,
    UNIQUE KEY {tickets_id} (id),
    UNIQUE KEY {tickets_number} (`number`, site),
    KEY {tickets_site} (site, trash, activity, id, hidden, inbox, status),
    KEY {tickets_inbox} (inbox, trash, activity, id, hidden, status),
    KEY {tickets_assignee} (assignee, site, trash, activity, id),
    KEY {tickets_customer} (customer, site, trash, activity, id),
    KEY {tickets_company} (company, site, trash, activity, id)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET = utf8mb4;

CREATE TABLE IF NOT EXISTS {ticket_threads} (
    thread     VARBINARY(512) NOT NULL,
    ticket     BIGINT NOT NULL,
    PRIMARY KEY (thread, ticket),
    KEY {ticket_threads_ticket} (ticket)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET = utf8mb4;

CREATE TABLE IF NOT EXISTS {entries} (
    pk         BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    id         VARBINARY(255) NOT NULL,
    ticket     BIGINT NOT NULL,
    inbox      VARBINARY(255) NOT NULL,
    made       BIGINT NOT NULL,
    message    VARBINARY(255),
    rfcid      MEDIUMBLOB,
    marker     MEDIUMBLOB,
    outgoing   VARBINARY(64),
    not_before BIGINT,
    doc        LONGBLOB NOT NULL,
    UNIQUE KEY {entries_id} (id),
    KEY {entries_ticket} (ticket, made, id),
    KEY {entries_inbox} (inbox, made, id),
    KEY {entries_message} (message),
    KEY {entries_rfcid} (rfcid(255)),
    KEY {entries_marker} (marker(255)),
    KEY {entries_outgoing} (outgoing, not_before)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET = utf8mb4;

CREATE TABLE IF NOT EXISTS {marks} (
    inbox      VARBINARY(255) NOT NULL PRIMARY KEY,
    seq        BIGINT NOT NULL,
    version    BIGINT NOT NULL
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET = utf8mb4;

-- Rows to lock, each for many messages: writes of the same message wait for each other.
CREATE TABLE IF NOT EXISTS {stripes} (id BIGINT NOT NULL PRIMARY KEY) ENGINE = InnoDB;
INSERT IGNORE INTO {stripes} VALUES
    (0), (1), (2), (3), (4), (5), (6), (7), (8), (9), (10), (11), (12), (13), (14), (15),
    (16), (17), (18), (19), (20), (21), (22), (23), (24), (25), (26), (27), (28), (29), (30), (31),
    (32), (33), (34), (35), (36), (37), (38), (39), (40), (41), (42), (43), (44), (45), (46), (47),
    (48), (49), (50), (51), (52), (53), (54), (55), (56), (57), (58), (59), (60), (61), (62), (63),
    (64), (65), (66), (67), (68), (69), (70), (71), (72), (73), (74), (75), (76), (77), (78), (79),
    (80), (81), (82), (83), (84), (85), (86), (87), (88), (89), (90), (91), (92), (93), (94), (95),
    (96), (97), (98), (99), (100), (101), (102), (103), (104), (105), (106), (107), (108), (109), (110), (111),
    (112), (113), (114), (115), (116), (117), (118), (119), (120), (121), (122), (123), (124), (125), (126), (127),
    (128), (129), (130), (131), (132), (133), (134), (135), (136), (137), (138), (139), (140), (141), (142), (143),
    (144), (145), (146), (147), (148), (149), (150), (151), (152), (153), (154), (155), (156), (157), (158), (159),
    (160), (161), (162), (163), (164), (165), (166), (167), (168), (169), (170), (171), (172), (173), (174), (175),
    (176), (177), (178), (179), (180), (181), (182), (183), (184), (185), (186), (187), (188), (189), (190), (191),
    (192), (193), (194), (195), (196), (197), (198), (199), (200), (201), (202), (203), (204), (205), (206), (207),
    (208), (209), (210), (211), (212), (213), (214), (215), (216), (217), (218), (219), (220), (221), (222), (223),
    (224), (225), (226), (227), (228), (229), (230), (231), (232), (233), (234), (235), (236), (237), (238), (239),
    (240), (241), (242), (243), (244), (245), (246), (247), (248), (249), (250), (251), (252), (253), (254), (255);
