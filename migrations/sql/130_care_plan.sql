-- The care plan: who sees and writes actions, assessments, the history of the risk, and the safety plan. No liaison does,
-- but for the actions that were given to her or him. After 100 and 110, which take all policies and rights away first.

set local role samaki_definer;  -- who owns what follows

-- It happened again: the draft of an incident and, unless `the_action` is null, the wish for a new danger assessment, for
-- who has recorded this follow-up in this very transaction, be it a liaison, who sees neither. The lead gets the action.
create or replace function report_met_incident(the_follow_up uuid, the_incident uuid, incident_sealed bytea,
                                               the_action uuid, action_sealed bytea, the_due_at timestamptz)
  returns boolean
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  f follow_ups;
begin
  select r.* into f from follow_ups r
   where r.id = the_follow_up and r.recorded_by = app_user_id() and r.updated_at = app_now()
     and exists (select from app_ways(r.case_id) w where w.mode <> 'read' and w.via <> 'break_glass');
  if not found then
    return false;
  end if;
  insert into incidents (id, version, created_at, updated_at, case_id, organisation_id, precision, created_by, sealed)
  values (the_incident, 1, app_now(), app_now(), f.case_id, f.organisation_id, 'unknown', app_user_id(), incident_sealed);
  insert into actions (id, version, created_at, updated_at, case_id, organisation_id, due_on, due_at, urgent, assignee_id,
                       created_by, sealed)
  select the_action, 1, app_now(), app_now(), f.case_id, f.organisation_id,
         (the_due_at at time zone 'Asia/Phnom_Penh')::date, the_due_at, true, coalesce(c.lead_id, app_user_id()),
         app_user_id(), action_sealed
    from cases c where c.id = f.case_id and the_action is not null;
  return true;
end
$$;
revoke all on function report_met_incident(uuid, uuid, bytea, uuid, bytea, timestamptz) from public;
grant execute on function report_met_incident(uuid, uuid, bytea, uuid, bytea, timestamptz) to samaki_runtime;

reset role;

do $$
declare
  t text;
  p record;
  -- %1$s: the column with the case's id; %2$s: a further condition on the access row.
  may constant text :=
    '(exists (select 1 from case_access a where a.case_id = %1$s'
    ' and a.principal = any ((select app_principals())::uuid[])'
    ' and (a.expires_at is null or a.expires_at > (select app_now())) %2$s offset 0)'
    ' and %1$s <> all ((select app_excluded_cases())::uuid[]))';
  by_me constant text := 'created_by = app_user_id() and ';
  in_full constant text := 'and a.via <> ''liaison''';
  writes constant text := 'and a.mode = ''write''';
  -- Who works on the case, its supervisors and its reviewer.
  steers constant text := 'and a.mode in (''contribute'', ''write'') and a.via not in (''liaison'', ''break_glass'')';
  own constant text := '(a.via <> ''liaison'' or actions.assignee_id = (select app_user_id()))';
begin
  foreach t in array array['actions', 'assessments', 'risk_changes', 'safety_plans'] loop
    for p in select policyname from pg_policies where schemaname = 'public' and tablename = t loop
      execute format('drop policy %I on %I', p.policyname, t);  -- this file may run alone
    end loop;
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format('create policy definer on %I to samaki_definer using (true) with check (true)', t);
  end loop;

  execute 'create policy see on actions for select to samaki_runtime using ' || format(may, 'actions.case_id', 'and ' || own);
  execute 'create policy add on actions for insert to samaki_runtime
             with check (' || by_me || format(may, 'actions.case_id', steers) || ')';
  -- A liaison completes the own ones; which columns change is the policy module's to say.
  execute 'create policy change on actions for update to samaki_runtime using '
          || format(may, 'actions.case_id', 'and a.mode in (''contribute'', ''write'') and a.via <> ''break_glass'' and ' || own);

  foreach t in array array['assessments', 'risk_changes', 'safety_plans'] loop
    execute format('create policy see on %I for select to samaki_runtime using ', t) || format(may, t || '.case_id', in_full);
  end loop;
  execute 'create policy add on assessments for insert to samaki_runtime
             with check (' || by_me || format(may, 'assessments.case_id', writes) || ')';
  execute 'create policy add on risk_changes for insert to samaki_runtime
             with check (' || by_me || format(may, 'risk_changes.case_id', steers) || ')';
  execute 'create policy change on risk_changes for update to samaki_runtime
             using (app_role() = ''supervisor'' and ' || format(may, 'risk_changes.case_id', steers) || ')';
  execute 'create policy add on safety_plans for insert to samaki_runtime
             with check (' || by_me || format(may, 'safety_plans.case_id', writes) || ')';
  execute 'create policy change on safety_plans for update to samaki_runtime using '
          || format(may, 'safety_plans.case_id', writes);
end
$$;

grant select, insert on actions, assessments, risk_changes, safety_plans to samaki_runtime;
grant update (due_on, due_at, urgent, assignee_id, completed_at, completed_by, ended_at, sealed, version, updated_at)
  on actions to samaki_runtime;
grant update (reviewed_at, reviewed_by, sealed, version, updated_at) on risk_changes to samaki_runtime;
grant update (review_due_on, sealed, version, updated_at) on safety_plans to samaki_runtime;
grant update (review_due_on) on safety_plans to samaki_definer;  -- 065_next_due.sql

-- The definer functions: the next date of a case, the stub that waits for a review, the draft of an incident.
grant select, insert on actions to samaki_definer;
grant select on risk_changes to samaki_definer;
grant insert on incidents to samaki_definer;
