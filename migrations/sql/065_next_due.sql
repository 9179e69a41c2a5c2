-- The next date of a case follows from what is planned on it, contacts, actions and the end of the day on which its
-- safety plan is looked at again, whoever plans: who sees only the own ones (a liaison) must not overwrite what others
-- planned. It is derived, so it moves no version. A closed case, or one of who has died, has no plan to look at.

set local role samaki_definer;  -- who owns what follows

create or replace function on_planned() returns trigger
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  update cases c
     set next_due_at = least((select min(f.due_at) from follow_ups f
                               where f.case_id = c.id and f.happened_at is null and f.ended_at is null),
                             (select min(a.due_at) from actions a
                               where a.case_id = c.id and a.completed_at is null and a.ended_at is null),
                             (select (p.review_due_on + 1)::timestamp at time zone 'Asia/Phnom_Penh' from safety_plans p
                               where p.case_id = c.id and c.status <> 'closed'
                                 and c.closure_reason is distinct from 'died'))
   where c.id = new.case_id;
  return null;
end
$$;

-- What closes, or whose client has died, is looked at no more; what is opened again is, if it still has to be.
create or replace function on_case_at_its_end() returns trigger
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  update safety_plans set review_due_on = review_due_on where case_id = new.id and review_due_on is not null;
  return null;
end
$$;

revoke all on function on_planned(), on_case_at_its_end() from public;
grant execute on function on_planned(), on_case_at_its_end() to samaki_owner;  -- who owns the table and so makes the trigger

reset role;

create or replace trigger planned after insert or update of due_at, happened_at, ended_at on follow_ups
  for each row execute function on_planned();
create or replace trigger plan_planned after insert or update of review_due_on on safety_plans
  for each row execute function on_planned();
create or replace trigger action_planned after insert or update on actions
  for each row execute function on_planned();
create or replace trigger case_at_its_end after update of status, closure_reason on cases
  for each row when ((new.status = 'closed') <> (old.status = 'closed')
                     or new.closure_reason is distinct from old.closure_reason)
  execute function on_case_at_its_end();
