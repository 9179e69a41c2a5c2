-- Emergency access to one case: who may open it, who sees that it was opened, and who reviews it. The runtime role
-- cannot read the table: the words in it are for those who see the case, and who may know of a grant is said once, here.

set local role samaki_definer;  -- who owns what follows

-- Two unreviewed grants, or one that nobody reviewed within 72 hours, block the next.
create or replace function glass_is_blocked() returns boolean
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select count(*) >= 2 or coalesce(bool_or(g.created_at + interval '72 hours' < app_now()), false)
    from break_glass_grants g
   where g.user_id = app_user_id() and g.reviewed_at is null
$$;

-- The case with this code, for the staff of its organisation. The exclusions are asked for first, so that an unknown
-- code takes as long as one from which the caller is excluded.
create or replace function case_of_code(the_code text) returns uuid
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select c.id
    from (select app_excluded_cases() as cases offset 0) gone
   cross join lateral (select c.id from cases c
                        where c.code = the_code and c.organisation_id = app_organisation_id()
                          and app_role() in ('caseworker', 'supervisor') and c.id <> all (gone.cases) offset 0) c
$$;

-- Opens the case to the caller for four hours. Returns 'opened', 'review_pending', 'access_exists', or null when there
-- is no such case for the caller.
create or replace function break_glass(new_id uuid, the_case uuid, reason text) returns text
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  -- One opening of a user at a time, and none while the user is being changed: that change then finds the grant.
  perform from users where id = app_user_id() for no key update;
  if glass_is_blocked() then
    return 'review_pending';
  end if;
  perform from cases where id = the_case for no key update;
  -- What begin_request() knew may be old by now: an exclusion or a change of the user may have been waited for.
  if is_excluded(app_user_id(), the_case)
     or not exists (select from cases c join users u on u.organisation_id = c.organisation_id
                     where c.id = the_case and u.id = app_user_id() and u.active
                       and u.role in ('caseworker', 'supervisor')) then
    return null;
  end if;
  if exists (select from case_access a
              where a.case_id = the_case and a.principal = any (app_principals())
                and (a.expires_at is null or a.expires_at > app_now())) then
    return 'access_exists';
  end if;
  insert into break_glass_grants (id, case_id, organisation_id, user_id, reason_code, created_at, expires_at)
  select new_id, c.id, c.organisation_id, app_user_id(), reason, app_now(), app_now() + interval '4 hours'
    from cases c where c.id = the_case;
  return 'opened';
end
$$;

-- Why it was opened, sealed with the key of the case, which the caller has only since it is open.
create or replace function note_glass(the_grant uuid, words bytea) returns void
  language sql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  update break_glass_grants set sealed = words where id = the_grant and user_id = app_user_id() and sealed is null
$$;

-- The grants that the caller may know of, newest first: the own ones, those on cases that the caller leads, and for a
-- supervisor those of the organisation; never of a case from which the caller is excluded. The words only where the
-- caller sees the case.
create or replace function glass_broken(
    only_grant uuid default null, reviewed boolean default null, before_at timestamptz default null,
    before_id uuid default null, at_most int default 50)
  returns table (id uuid, case_id uuid, case_code text, lead_id uuid, lead_name text, user_id uuid, user_name text,
                 reason_code text, created_at timestamptz, expires_at timestamptz, ended_at timestamptz,
                 review_due_at timestamptz, overdue boolean, reviewed_at timestamptz, reviewer_id uuid,
                 reviewer_name text, finding text, sealed bytea, review_sealed bytea)
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select g.id, g.case_id, c.code::text, c.lead_id, l.display_name::text, g.user_id, u.display_name::text,
         g.reason_code::text, g.created_at, g.expires_at, g.ended_at, g.created_at + interval '72 hours',
         g.reviewed_at is null and g.created_at + interval '72 hours' < app_now(), g.reviewed_at, g.reviewed_by,
         r.display_name::text, g.finding::text,
         case when sight.seen then g.sealed end, case when sight.seen then g.review_sealed end
    from (select app_excluded_cases() as cases, app_lent_cases() as lent offset 0) gone
   cross join lateral (
     select g.* from break_glass_grants g
      where (only_grant is null or g.id = only_grant)
        and (g.organisation_id = app_organisation_id() or g.case_id = any (gone.lent))
        and g.case_id <> all (gone.cases)
        and (app_role() = 'supervisor'
             or (app_role() = 'caseworker'
                 and (g.user_id = app_user_id()
                      or exists (select from cases c where c.id = g.case_id and c.lead_id = app_user_id()))))
        and (reviewed is null or (g.reviewed_at is not null) = reviewed)
        and (before_at is null or (g.created_at, g.id) < (before_at, before_id))
      order by g.created_at desc, g.id desc
      limit least(at_most, 201)) g
    join cases c on c.id = g.case_id
   cross join lateral (
     select exists (select from case_access a
                     where a.case_id = g.case_id and a.principal = any (app_principals())
                       and (a.expires_at is null or a.expires_at > app_now())) as seen) sight
    join users u on u.id = g.user_id
    left join users l on l.id = c.lead_id
    left join users r on r.id = g.reviewed_by
   order by g.created_at desc, g.id desc
$$;

-- A supervisor says what another's grant was. One found not justified ends at once. Returns 'reviewed', 'own',
-- 'reviewed_before', or null when there is no such grant for the caller.
create or replace function review_glass(the_grant uuid, what text, words bytea) returns text
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  g break_glass_grants;
begin
  if app_role() is distinct from 'supervisor' then
    return null;
  end if;
  -- The case first, as every change of who sees it.
  perform from cases c
    where c.id in (select b.case_id from glass_broken(only_grant => the_grant) b) for no key update;
  select x.* into g
    from break_glass_grants x
   where x.id = the_grant and exists (select from glass_broken(only_grant => the_grant));
  if not found then
    return null;
  elsif g.user_id = app_user_id() then
    return 'own';
  elsif g.reviewed_at is not null then
    return 'reviewed_before';
  end if;
  update break_glass_grants
     set reviewed_at = app_now(), reviewed_by = app_user_id(), finding = what, review_sealed = words,
         ended_at = case when what = 'not_justified' and expires_at > app_now()
                         then coalesce(ended_at, app_now()) else ended_at end
   where id = g.id;
  return 'reviewed';
end
$$;

do $$
declare
  f text;
begin
  foreach f in array array[
    'glass_is_blocked()', 'case_of_code(text)', 'break_glass(uuid, uuid, text)', 'note_glass(uuid, bytea)',
    'glass_broken(uuid, boolean, timestamptz, uuid, int)', 'review_glass(uuid, text, bytea)'] loop
    execute format('revoke all on function %s from public', f);
    execute format('grant execute on function %s to samaki_runtime', f);
  end loop;
end
$$;

reset role;
