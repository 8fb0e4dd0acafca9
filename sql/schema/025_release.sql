-- work_release() answers for the pause itself: its argument is the least pause now, and no longer a moment.
DROP FUNCTION IF EXISTS consign.work_release(integer, integer, text, text, bigint, boolean, text);
