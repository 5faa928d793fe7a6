-- Staff read the attempts of everyone at a program's quizzes, newest first, with what was awarded for them.
CREATE INDEX credits_attempt_of_program ON credits_attempt (org_id, program_id, id);

CREATE INDEX credits_award_of_attempt ON credits_award (org_id, attempt_id);
