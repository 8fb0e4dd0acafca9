-- Files of a batch that come in pieces (PATCH with Content-Range).

-- The length that was announced. NULL: the file came at once.
ALTER TABLE consign.batch_upload ADD COLUMN total_bytes bigint;

-- One piece: an object of its own in the inbox, from byte first_byte of the file on. A file that came at once has
-- none. So a piece that breaks off changes nothing of what is there, and of two that begin at the same byte the one
-- entered first counts, whole. batch_upload.object is the first piece then, and batch_upload.bytes the sum.
CREATE TABLE consign.batch_upload_part (
    org         integer NOT NULL,
    sandbox     integer NOT NULL,
    batch       text NOT NULL,
    name        text NOT NULL,
    first_byte  bigint NOT NULL,
    object      text NOT NULL CHECK (object ~ '^[0-9a-f-]{36}$'),
    bytes       bigint NOT NULL,
    PRIMARY KEY (org, sandbox, batch, name, first_byte),
    FOREIGN KEY (org, sandbox, batch, name) REFERENCES consign.batch_upload
);
ALTER TABLE consign.batch_upload_part ENABLE ROW LEVEL SECURITY;
ALTER TABLE consign.batch_upload_part FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON consign.batch_upload_part USING (org = consign.tenant_org()) WITH CHECK (org = consign.tenant_org());

-- They take more parameters now, and one answers more than one row.
DROP FUNCTION IF EXISTS consign.batch_create(integer, integer, text, text, text, text, text),
    consign.batch_upload(integer, integer, text, text, text, text, bigint);
