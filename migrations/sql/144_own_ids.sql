-- A device that is away gives its own ids to what it writes. Is one of them taken, by whatever row? Asked before the row
-- is written, because a unique violation would say the same as an error; what is taken and hidden becomes a new row.

set local role samaki_definer;  -- who owns what follows

create or replace function app_id_is_taken(the_table text, the_id uuid) returns boolean
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
  return case the_table
    when 'cases' then exists (select from cases where id = the_id)
    when 'notes' then exists (select from notes where id = the_id)
    when 'follow_ups' then exists (select from follow_ups where id = the_id)
    when 'actions' then exists (select from actions where id = the_id)
    when 'home_visits' then exists (select from home_visits where id = the_id)
  end;

revoke all on function app_id_is_taken(text, uuid) from public;
grant execute on function app_id_is_taken(text, uuid) to samaki_runtime;

reset role;

grant select on notes to samaki_definer;
