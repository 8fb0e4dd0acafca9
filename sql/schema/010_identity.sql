-- One identity of a person is looked up at once, however many it has: bare_profile() asks for each that has events.
-- Otherwise as before (006).
DROP INDEX consign.identity_person;
CREATE INDEX identity_person ON consign.identity (org, sandbox, person, identity) WHERE person IS NOT NULL;
