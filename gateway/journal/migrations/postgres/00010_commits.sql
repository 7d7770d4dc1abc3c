-- What a writer looks at when its commit was not answered: a transaction's number alone does not tell, because a server that
-- crashed gives the numbers of transactions that it lost to others.

-- +goose Up

CREATE TABLE commits (
    connection text NOT NULL PRIMARY KEY, -- random name of a connection that writes
    number bigint NOT NULL, -- of its last transaction that wrote: 1, 2, 3 ...
    at timestamptz NOT NULL -- time that one began; a day later nobody asks
) WITH (fillfactor = 50);

-- +goose Down

DROP TABLE commits;
