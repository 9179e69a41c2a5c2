-- The next date of a case follows from what is planned on it, contacts and actions, whoever plans: who sees only the own
-- ones (a liaison) must not overwrite what others planned. It is derived, so it moves no version.

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
                               where a.case_id = c.id and a.completed_at is null and a.ended_at is null))
   where c.id = new.case_id;
  return null;
end
$$;

revoke all on function on_planned() from public;
grant execute on function on_planned() to samaki_owner;  -- who owns the table and so makes the trigger

reset role;

create or replace trigger planned after insert or update of due_at, happened_at, ended_at on follow_ups
  for each row execute function on_planned();
create or replace trigger action_planned after insert or update on actions
  for each row execute function on_planned();
