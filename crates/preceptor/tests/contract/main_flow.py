"""The main flow, by a client that was generated from the document: nothing is called past it."""

import importlib
import pkgutil
import sys
import time
from io import BytesIO

import client.api
from client import AuthenticatedClient, models
from client.types import File

url, admin_token, reviewer_token, app_token, earned_token, credit = sys.argv[1:]
DOSES = b"# Doses\n\nThe usual starting dose of apixaban in most adults is 5 mg taken twice a day.\n"


def client_of(token):
    return AuthenticatedClient(base_url=url, token=token, raise_on_unexpected_status=True)


def call(who, operation, status, *path, **rest):
    """One call; the status is the expected one, and the body was understood."""
    found = [module.name for module in pkgutil.walk_packages(client.api.__path__, "client.api.") if module.name.endswith("." + operation)]
    assert found, f"the generator made no {operation}"
    answer = importlib.import_module(found[0]).sync_detailed(*path, client=who, **rest)
    assert int(answer.status_code) == status, f"{operation}: {answer.status_code} {answer.content[:500]}"
    assert status == 204 or answer.parsed is not None, f"{operation}: the client does not understand {answer.content[:200]}"
    return answer


def wait(who, operation, identifier, state):
    for _ in range(200):
        found = call(who, operation, 200, identifier).parsed
        if str(found.state) == state:
            return found
        time.sleep(0.1)
    sys.exit(f"{identifier} did not become {state}")


admin, reviewer, app, earned = map(client_of, (admin_token, reviewer_token, app_token, earned_token))
new = models.NewProgram(title="Doses", objectives=["Name the usual doses"])
made = call(admin, "create_program", 201, body=new, idempotency_key="python-1")
again = call(admin, "create_program", 201, body=new, idempotency_key="python-1")
program = made.parsed.id
assert again.parsed.id == program and again.headers["idempotency-replayed"] == "true"
assert made.headers["location"].endswith(program)

change = models.ProgramChange(summary="From the generated client")
call(admin, "update_program", 200, program, body=change, if_match=made.headers["etag"])
late = call(admin, "update_program", 412, program, body=change, if_match=made.headers["etag"])
assert late.parsed.code == "REVISION_CONFLICT" and late.headers["etag"]
assert call(admin, "get_program", 404, "prog_00000000000000000000000000").parsed.code == "PROGRAM_NOT_FOUND"

form = getattr(models, "UploadSourceBody")
file = File(payload=BytesIO(DOSES), file_name="doses.md", mime_type="text/markdown")
source = call(admin, "upload_source", 202, program, body=form(file=file)).parsed.id
wait(admin, "get_source", source, "draft")
call(admin, "submit_source", 200, source)
approval = models.NewDecision(approve=True, reason="Read in full")
assert call(admin, "decide_source", 409, source, body=approval).parsed.code == "AUTHOR_CANNOT_DECIDE"
call(reviewer, "decide_source", 200, source, body=approval)
call(admin, "publish_program", 202, program, body=models.Reason(reason="First version"))
wait(admin, "get_program", program, "published")

token = call(app, "issue_learner_token", 201, program, body=models.NewLearner(user_hash="python")).parsed.token
learner = client_of(token)
reply = call(learner, "ask", 200, program, body=models.NewMessage(question="What is the usual starting dose of apixaban?")).parsed
assert reply.usage.elapsed_ms >= 0
call(learner, "leave_feedback", 204, reply.message_id, body=models.NewFeedback(helpful=True))
assert call(admin, "list_programs", 200, limit=1).parsed.data

certificate = call(earned, "get_certificate", 200, credit).parsed
assert isinstance(certificate, File) and certificate.payload.read().startswith(b"%PDF-"), "the certificate is a PDF"
print("the whole main flow")
