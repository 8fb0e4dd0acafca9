-- What the spooler's sweep may do to events of webhooks: give up what nobody took, and remove what has an end.

-- SECURITY: one that was not sent yet is ended by nobody within an hour, the least that webhook.keep_hours takes, and never as
-- delivered, which only webhook_end says; and removed it is not before it has an end, whatever statement the role is brought to
-- run.
CREATE POLICY given_up ON consign.webhook_event AS RESTRICTIVE FOR UPDATE TO consign_spooler
    USING (outcome IS NULL AND created_ms < consign.now_ms() - 3600000) WITH CHECK (outcome = 'given_up' AND NOT sending);
CREATE POLICY ended ON consign.webhook_event AS RESTRICTIVE FOR DELETE TO consign_spooler
    USING (outcome IS NOT NULL AND ended_ms < consign.now_ms() - 3600000);
