-- The database, and for each service a role that owns its schema and sees no other. Safe to repeat.
-- Run by psql: in containers once, by `make run` at every start. The passwords come from the environment.
\set ON_ERROR_STOP on
\getenv accounts_password DB_ACCOUNTS_PASSWORD
\getenv notes_password DB_NOTES_PASSWORD
\getenv chat_password DB_CHAT_PASSWORD
SET client_min_messages = warning;

SELECT 'CREATE DATABASE inkstream' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'inkstream') \gexec
\connect inkstream
SET client_min_messages = warning;

SELECT format('CREATE ROLE %I LOGIN PASSWORD %L', name, password)
FROM (VALUES ('accounts', :'accounts_password'), ('notes', :'notes_password'), ('chat', :'chat_password')) AS wanted (name, password)
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec

-- for search by meaning, where the server has it; only a superuser may create it
SELECT 'CREATE EXTENSION IF NOT EXISTS vector SCHEMA public'
WHERE EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector') \gexec

CREATE SCHEMA IF NOT EXISTS accounts AUTHORIZATION accounts;
CREATE SCHEMA IF NOT EXISTS notes AUTHORIZATION notes;
CREATE SCHEMA IF NOT EXISTS chat AUTHORIZATION chat;
