-- The sender of webhooks has a role of its own (consign_sender), which calls webhook_claim and webhook_end (sql/api) and sees
-- no table: these run as the owner. So nobody else reads where events go and what signs them.
DROP POLICY claim ON consign.webhook;
