-- Many cases in an hour by one account: the worker looks at the trail, a quarter of an hour at a time, and tells the
-- supervisors of the account's organisation. How far it has looked is a row, so that what was read while no worker ran
-- is looked at as soon as one does. Nobody reads or writes the tables but through these two functions.

set local role samaki_definer;  -- who owns what follows

-- Looks at one hour, if the end of one has passed that was not looked at yet. Returns whom it now speaks of; of nobody
-- twice within an hour.
create or replace function watch_reading(most_opened int, most_listed int) returns setof uuid
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
  set work_mem = '64MB'  -- or the busiest hours are sorted on disk
as $$
declare
  step constant interval := interval '15 minutes';
  watched timestamptz;
  -- A row carries the time at which its request began, and is there only when that has ended.
  upto timestamptz := date_bin(step, app_now() - interval '1 minute', timestamptz '2000-01-01 00:00Z');
begin
  select w.watched_until into watched from reading_watch w where w.id = 1 for update;
  if watched >= upto then
    return;
  end if;
  if watched is not null then
    upto := greatest(watched + step, upto - interval '7 days');
  end if;
  return query
    insert into reading_alerts as r (id, at, user_id, organisation_id, kind)
    select gen_random_uuid(), upto, u.id, u.organisation_id, case when p.opened >= most_opened then 'opened' else 'listed' end
      from (select s.actor_id, count(*) filter (where s.alone) as opened, count(*) as listed
              from (select e.actor_id, c.id, bool_or(cardinality(e.case_ids) = 1) as alone
                      from audit_events e
                     cross join lateral unnest(e.case_ids) c (id)
                     where e.at > upto - interval '1 hour' and e.at <= upto
                       and e.status < 400 and e.kind = 'casework' and e.action ~ '^(read|list)_'
                     group by e.actor_id, c.id) s
             group by s.actor_id) p
      join users u on u.id = p.actor_id
     where u.organisation_id is not null
       and (p.opened >= most_opened or p.listed >= most_listed)
       and not exists (select from reading_alerts b where b.user_id = u.id and b.at > upto - interval '1 hour')
    returning r.user_id;
  update reading_watch set watched_until = upto where id = 1;
end
$$;

-- The alerts about people of the caller's organisation, for its supervisors; never about the reader herself.
create or replace function reading_alerts_told(before_at timestamptz, before_id uuid, at_most int)
  returns table (id uuid, at timestamptz, actor_id uuid, actor_name text, role text, kind text)
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select r.id, r.at, r.user_id, u.display_name::text, u.role::text, r.kind
    from reading_alerts r
    join users u on u.id = r.user_id
   where app_role() = 'supervisor' and r.organisation_id = app_organisation_id()
     and r.user_id <> app_user_id()
     and (before_at is null or (r.at, r.id) < (before_at, before_id))
   order by r.at desc, r.id desc
   limit at_most
$$;

revoke all on function watch_reading(int, int), reading_alerts_told(timestamptz, uuid, int) from public;
grant execute on function watch_reading(int, int) to samaki_worker;
grant execute on function reading_alerts_told(timestamptz, uuid, int) to samaki_runtime;

reset role;

grant select, insert on reading_alerts to samaki_definer;
grant select, update on reading_watch to samaki_definer;
