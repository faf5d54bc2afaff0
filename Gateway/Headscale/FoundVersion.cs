namespace Gateway.Headscale;

/// <summary>How the version of Headscale is known.</summary>
internal enum VersionSource
{
    None = 0,

    /// <summary>It says so itself.</summary>
    Named,

    /// <summary>By what there is and what is not: it names no version.</summary>
    Operations,

    /// <summary><c>headscale.version</c> says so.</summary>
    Setting,

    /// <summary>It names none and nothing can be asked: it is taken for the newest.</summary>
    Assumed,
}

/// <summary>A version of Headscale, and how it is known.</summary>
internal readonly record struct FoundVersion(HeadscaleVersion Version, VersionSource Source)
{
    public override string ToString() => Source switch
    {
        VersionSource.None or VersionSource.Named => $"{Version}",
        VersionSource.Operations => $"{Version} by its operations; it names no version",
        VersionSource.Setting => $"{Version} by headscale.version",
        VersionSource.Assumed => $"{Version} as a guess; it names no version, so set headscale.version",
    };
}
