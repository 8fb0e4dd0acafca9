"""guide: how to go on by hand, printed at the end of the demo. Caller: main."""
from export import ACCESS, JOBS
from show import heading

TEXT = r"""
   eval "$(tools/devstack env{where})"   # address, org, client and a fresh token
   api() {{ curl -sS -H "Authorization: Bearer $CONSIGN_TOKEN" -H "x-api-key: $CONSIGN_CLIENT_ID" \
       -H "x-gw-ims-org-id: $CONSIGN_ORG" -H "x-sandbox-name: $CONSIGN_SANDBOX" "$@"; }}

   # the jobs, newest first; this run's job
   api "$CONSIGN_URL{jobs}?limit=5" | python3 -m json.tool
   api "$CONSIGN_URL{jobs}/{job}" | python3 -m json.tool

   # another export: of everything, without events; what it answers has the id to ask for
   api -H 'Content-Type: application/json' "$CONSIGN_URL{jobs}" -d '
     {{"destination": {{"datasetId": "{dataset}"}}, "schema": {{"name": "_xdm.context.profile"}}}}'

   # the files of this run's batch; one of them, and its first three rows
   api "$CONSIGN_URL{access}/batches/{batch}/files" | python3 -m json.tool
   api -o export.json.zst "{link}"
   zstd -dcq export.json.zst | head -3

   tools/devstack down{where}        # stop; the data stays, up starts it again
"""


def show_guide(job, link, where):
    heading("The stack stays up. To go on by hand:")
    print(TEXT.format(where=where, jobs=JOBS, access=ACCESS, job=job["id"], link=link,
                      dataset=job["destination"]["datasetId"], batch=job["destination"]["batchId"]), flush=True)
