-- The database, and for each service a role that owns its schema and sees no other. Safe to repeat.
-- Run by psql as superuser: in containers once, by `make run` at every start. The passwords come from the environment.
\set ON_ERROR_STOP on
\getenv accounts_password DB_ACCOUNTS_PASSWORD
\getenv notes_password DB_NOTES_PASSWORD
\getenv chat_password DB_CHAT_PASSWORD
SET client_min_messages = warning;

SELECT 'CREATE DATABASE inkstream' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'inkstream') \gexec
\connect inkstream
SET client_min_messages = warning;

SELECT format('CREATE ROLE %I', name) FROM (VALUES ('accounts'), ('notes'), ('chat')) AS wanted (name)
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec

SELECT format(
    'ALTER ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS NOINHERIT PASSWORD %L',
    name, password
)
FROM (VALUES ('accounts', :'accounts_password'), ('notes', :'notes_password'), ('chat', :'chat_password'))
    AS wanted (name, password) \gexec

-- nobody signs in as superuser with a password: see pg_hba.conf
ALTER ROLE CURRENT_USER PASSWORD NULL;

-- An error's message may quote what a person wrote. The service is told of it, and logs what it may; the server's own log
-- has the errors of its own processes.
ALTER ROLE accounts SET log_min_messages = 'log';
ALTER ROLE notes SET log_min_messages = 'log';
ALTER ROLE chat SET log_min_messages = 'log';

REVOKE ALL ON DATABASE inkstream, postgres, template1 FROM PUBLIC;
GRANT CONNECT ON DATABASE inkstream TO accounts, notes, chat;

-- for search by meaning, where the server has it; only a superuser may create it
SELECT 'CREATE EXTENSION IF NOT EXISTS vector SCHEMA public'
WHERE EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector') \gexec
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO notes;

CREATE SCHEMA IF NOT EXISTS accounts AUTHORIZATION accounts;
CREATE SCHEMA IF NOT EXISTS notes AUTHORIZATION notes;
CREATE SCHEMA IF NOT EXISTS chat AUTHORIZATION chat;
