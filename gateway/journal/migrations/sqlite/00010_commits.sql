-- Nothing: a commit to a file is always answered. PostgreSQL has a table for those that are not.

-- +goose Up

SELECT 1;

-- +goose Down

SELECT 1;
