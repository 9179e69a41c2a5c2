-- What holds for every new assignment, whoever writes it.

set local role samaki_definer;  -- who owns what follows

-- May this user be put on the case at all? Asked only by who may assign there.
create or replace function may_be_assigned(the_case uuid, the_user uuid) returns boolean
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select (app_leads(the_case) or app_supervises(the_case) or app_just_opened(the_case)) and not is_excluded(the_user, the_case)
$$;

-- Has the client of the case died? For who may assign there, on a stub too: nobody goes to her door.
create or replace function app_client_died(the_case uuid) returns boolean
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select (app_leads(the_case) or app_supervises(the_case))
     and exists (select from cases c where c.id = the_case and c.closure_reason = 'died')
$$;

create or replace function on_assignment_coming() returns trigger
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  -- Who is being moved or deactivated at this moment: that change then finds this assignment, or this one its outcome.
  -- The user before the case, as a change of the user locks them.
  perform from users where id = new.user_id for share;
  perform from cases where id = new.case_id for no key update;
  if exists (select from cases where id = new.case_id and erased_at is not null) then
    raise insufficient_privilege using message = 'the case is erased';
  end if;
  if is_excluded(new.user_id, new.case_id) then
    raise exclusion_violation using message = 'the user is excluded from the case', constraint = 'assignment_of_excluded';
  end if;
  -- One lead per case, and one place per person: the newer assignment replaces the older.
  update assignments
     set ended_at = app_now(), ended_by = app_user_id(), end_reason = 'replaced'
   where case_id = new.case_id and ended_at is null
     and (user_id = new.user_id or (role = 'lead' and new.role = 'lead'));
  return new;
end
$$;

do $$
declare
  f text;
begin
  foreach f in array array['may_be_assigned(uuid, uuid)', 'app_client_died(uuid)', 'on_assignment_coming()'] loop
    execute format('revoke all on function %s from public', f);
  end loop;
end
$$;
grant execute on function may_be_assigned(uuid, uuid), app_client_died(uuid) to samaki_runtime;
grant execute on function on_assignment_coming() to samaki_owner;  -- who owns the table and so makes the trigger

reset role;

create or replace trigger assignment_coming before insert on assignments
  for each row when (current_user <> 'samaki_loader') execute function on_assignment_coming();
