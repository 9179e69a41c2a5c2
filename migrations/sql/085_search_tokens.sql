-- Tokens say whether their case is sensitive, so that a search of what the whole staff sees walks past nobody who is
-- hidden from it: how many women of one name are in sensitive cases must not show in the time of an answer. Derived
-- here, because who writes a token may not always read the case; the row policies do not ask for it.

set local role samaki_definer;  -- who owns what follows

create or replace function on_token_added() returns trigger
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  new.sensitive := exists (select from cases c where c.id = new.case_id and c.sensitivity = 'sensitive');
  return new;
end
$$;

create or replace function on_sensitivity_raised() returns trigger
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  update search_tokens t set sensitive = true where t.case_id = new.id and not t.sensitive;
  return null;
end
$$;

revoke all on function on_token_added(), on_sensitivity_raised() from public;
grant execute on function on_token_added(), on_sensitivity_raised() to samaki_owner;  -- who makes the triggers

reset role;

create or replace trigger token_added before insert on search_tokens
  for each row execute function on_token_added();
create or replace trigger sensitivity_raised after update of sensitivity on cases
  for each row when (old.sensitivity is distinct from new.sensitivity) execute function on_sensitivity_raised();
