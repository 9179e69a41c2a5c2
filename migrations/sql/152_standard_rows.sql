-- Rows of a case that the whole staff sees are marked `standard`, so that a list finds them by an index of their own and
-- walks past nobody's hidden ones: how many there are must not show in the time of an answer. For any table with a
-- `case_id` and this column, by two triggers; the row policies do not ask for it.

set local role samaki_definer;  -- who owns what follows

-- The case is held: who makes it sensitive at the same time comes before this row, or sees it.
create or replace function on_row_of_case_added() returns trigger
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  select c.sensitivity = 'standard' into new.standard from cases c where c.id = new.case_id for share;
  return new;
end
$$;

-- Its argument is the table. A sensitive case never becomes a standard one again.
create or replace function on_case_hidden() returns trigger
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  execute format('update %I set standard = false where case_id = $1 and standard', tg_argv[0]) using new.id;
  return null;
end
$$;

revoke all on function on_row_of_case_added(), on_case_hidden() from public;
grant execute on function on_row_of_case_added(), on_case_hidden() to samaki_owner;  -- who makes the triggers

reset role;

create or replace trigger request_added before insert on assistance_requests
  for each row when (current_user <> 'samaki_loader') execute function on_row_of_case_added();
create or replace trigger requests_hidden after update of sensitivity on cases
  for each row when (old.sensitivity = 'standard' and new.sensitivity = 'sensitive')
  execute function on_case_hidden('assistance_requests');
